-- Those of priorities and of days, which are added anew: todos that are due have one of four days, too.
DELETE FROM terms WHERE term >= '+' AND term < ',';
