"""Todos as people write them, of made-up words that are as frequent as those of a language."""

import bisect
import datetime
import itertools
import random

PRIORITIES = {"low": 12, "normal": 70, "high": 13, "urgent": 5}
NOW = datetime.datetime.now(datetime.timezone.utc)


def vocabulary(count):
    """Words, the most frequent ones short."""
    syllables = [first + vowel for first in "bdfghjklmnprstvwz" for vowel in "aeiou"]
    chance, words = random.Random(1), {}
    while len(words) < count:
        length = 1 + len(words) // 60 if len(words) < 120 else chance.randint(2, 5)
        words["".join(chance.choices(syllables, k=length))] = None
    return list(words)


def zipf(values):
    """Draws from them, the first the most often: in proportion to 1, 1/2, 1/3, .."""
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(values) + 1)))
    return lambda chance: values[bisect.bisect(weights, chance.random() * weights[-1])]


WORDS = vocabulary(4_000)
LABELS = WORDS[200:260]
word, label = zipf(WORDS), zipf(LABELS)
# In one todo of a list.
UNIQUE_WORD = "xylophone"


def text(chance, least, most):
    return " ".join(word(chance) for _ in range(chance.randint(least, most)))


def due_day(chance, is_done):
    """What is done was due; of what is not, a little is overdue or due soon."""
    soon = chance.choices([(-30, -1), (0, 0), (1, 7), (8, 400)], [5, 1, 7, 87])[0]
    days = chance.randint(*((-900, -1) if is_done else soon))
    return (NOW + datetime.timedelta(days=days)).date().isoformat()


def instant(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%FT%T.000Z")


def todo(chance):
    """Fields of a line of an export. They are those of a result, too."""
    is_done, is_due, has_time = chance.random() < 0.6, chance.random() < 0.6, chance.random() < 0.2
    created = int(NOW.timestamp()) - chance.randint(30_000_000, 90_000_000)
    updated = created + chance.randint(0, 30_000_000)
    due = due_day(chance, is_done) if is_due else None
    # Of today only days: a time would be overdue or not by the hour of the measurement.
    has_time = has_time and due != NOW.date().isoformat()
    return {
        "title": text(chance, 2, 7),
        "description": text(chance, 5, 25) if chance.random() < 0.5 else None,
        "completed_at": instant(updated) if is_done else None,
        "due": f"{due}T17:30" if due and has_time else due,
        "time_zone": "Europe/Berlin" if due and has_time else None,
        "priority": chance.choices(list(PRIORITIES), PRIORITIES.values())[0],
        "labels": list({label(chance): None for _ in range(chance.choices(range(4), (5, 3, 1, 1))[0])}),
        "created_at": instant(created),
        "updated_at": instant(updated),
        "version": 1,
    }


def todos(seed, count):
    """One of them, in the middle, has the unique word."""
    chance = random.Random(seed)
    for number in range(count):
        made = todo(chance)
        if number == count // 2:
            made["title"] += f" {UNIQUE_WORD}"
        yield made
