-- The requests belong to a caller, which is a subject in an organization, and no longer to a subject. The
-- key of a workspace says the organization, except for the workspace of everyone: there, a repetition of
-- a request from before this migration counts as a new one.
ALTER TABLE creations RENAME COLUMN created_by TO caller;

-- personal:ORGANIZATION:SUBJECT, with the colons of the organization escaped, or
-- organization:ORGANIZATION.
UPDATE creations SET caller = caller || char(10) || iif(
    workspace LIKE 'organization:%',
    substr(workspace, 14),
    replace(replace(
        substr(workspace, 10, length(workspace) - 10 - length(caller)), '%3A', ':'), '%25', '%'))
WHERE workspace LIKE 'organization:%'
   OR (workspace LIKE 'personal:%' AND workspace NOT LIKE 'personal::%');
