# SPDX-License-Identifier: Apache-2.0
"""What is known after a run with kills, and the check that nothing acknowledged was lost, counted twice or left
untold."""
import collections
import dataclasses

# Every key gets exactly so many events. At the last one `full` fires, at one more `over` would.
EVENTS_OF_KEY = 25
# A pulse is a key that is heard once. So long after it `silent` fires.
SILENCE_MS = 2000
# Between an event's arrival and its acknowledgement clocks are read by two programs.
CLOCK_SLACK_MS = 1000


@dataclasses.dataclass
class Records:
    """What agents, the subscriber, the webhook and the store know after a run: all that check() looks at. Times are
    milliseconds since 1970."""
    sent: dict = dataclasses.field(default_factory=dict)  # key -> events sent at least once
    acknowledged: dict = dataclasses.field(default_factory=dict)  # key -> events answered ok
    pulses: dict = dataclasses.field(default_factory=dict)  # key -> (its event's time, when that was answered ok)
    refused: list = dataclasses.field(default_factory=list)  # what agents were told beside ok and retry
    fired: list = dataclasses.field(default_factory=list)  # (rule, key, alert_id) of the alerts
    silences: dict = dataclasses.field(default_factory=dict)  # key -> (since when, when `silent` fired)
    stored: list = dataclasses.field(default_factory=list)  # (seq, alert_id, number) of the store's transitions
    told: list = dataclasses.field(default_factory=list)  # the same, as the stream told them
    notices: list = dataclasses.field(default_factory=list)  # a Notice for each request to the webhook
    gaps: list = dataclasses.field(default_factory=list)  # what starts said of windows that they could not keep


@dataclasses.dataclass(frozen=True)
class Notice:
    """A request to the webhook."""
    id: str
    alerts: tuple  # alert_ids, sorted
    content: str  # a hash of the body
    taken: bool  # whether it was answered ok


def check(records):
    """The faults of a run, a sentence each; none when every promise was kept."""
    faults = [f"an agent was refused: {each}" for each in records.refused]
    faults += [f"a restart has lost windows: {each}" for each in records.gaps]
    return (faults + check_counts(records) + check_silences(records) + check_notices(records)
            + check_numbers(records))


def check_counts(records):
    """Each acknowledged event counts once: keys are full at their last event, and never over."""
    faults = []
    times = collections.Counter((rule, key) for rule, key, _ in records.fired)
    for key, count in records.acknowledged.items():
        if count >= EVENTS_OF_KEY and not times["full", key]:
            faults.append(f"{key}: {count} events were acknowledged, and fewer were counted")
    for (rule, key), count in times.items():
        if rule == "over":
            faults.append(f"{key}: more events were counted than its {EVENTS_OF_KEY}")
        elif rule == "full" and records.sent.get(key, 0) < EVENTS_OF_KEY:
            faults.append(f"{key}: {EVENTS_OF_KEY} events were counted, {records.sent.get(key, 0)} were sent")
        if count > 1:
            faults.append(f"{key}: {rule} has {count} alerts")
    for alert, count in collections.Counter(alert for _, _, alert in records.fired).items():
        if count > 1:
            faults.append(f"alert id {alert} is that of {count} alerts")
    return faults


def check_silences(records):
    """The timer of each pulse goes off, when it should, and no other does."""
    faults = []
    for key, (heard, acknowledged) in records.pulses.items():
        if key not in records.silences:
            if acknowledged is not None:
                faults.append(f"{key}: was heard once, and no alert says that it is silent since")
            continue
        since, fired = records.silences[key]
        if since != heard:
            faults.append(f"{key}: was heard at {heard}, its silence counts from {since}")
        if fired < heard + SILENCE_MS:
            faults.append(f"{key}: was heard at {heard}, and silent too long at {fired} already")
        # What comes in when its silence is too long already is known to be silent from then on.
        latest = max(heard + SILENCE_MS, acknowledged or 0) + CLOCK_SLACK_MS
        if acknowledged is not None and fired > latest:
            faults.append(f"{key}: was heard at {heard}, and silent too long at {fired}, not by {latest}")
    faults += [f"{key}: an alert says that it is silent, nobody sent its pulse"
               for key in records.silences if key not in records.pulses]
    return faults


def check_notices(records):
    """Each alert is in a notice that was taken, and a notice that comes again has the same id."""
    faults = []
    told = {alert for each in records.notices if each.taken for alert in each.alerts}
    for rule, key, alert in records.fired:
        if alert not in told:
            faults.append(f"{key}: the alert of {rule} is in no notice that was taken")
    known = {alert for _, _, alert in records.fired}
    contents, ids = collections.defaultdict(set), collections.defaultdict(set)
    for each in records.notices:
        contents[each.id].add(each.content)
        ids[each.alerts].add(each.id)
    for each in {each.id: each for each in records.notices}.values():
        for alert in each.alerts:
            if alert not in known:
                faults.append(f"notice {each.id} tells of alert {alert}, which there is not")
    for notice, seen in contents.items():
        if len(seen) > 1:
            faults.append(f"notice {notice} came with {len(seen)} contents")
    for alerts, seen in ids.items():
        if len(seen) > 1:
            faults.append(f"the same {len(alerts)} alerts were told by the notices {', '.join(sorted(seen))}")
    return faults


def check_numbers(records):
    """Transitions are numbered without a gap, and told as they are stored."""
    faults = []
    stored = sorted(records.stored)
    for place, (seq, alert, number) in enumerate(stored, start=1):
        if seq != place:
            faults.append(f"the store's seq goes from {place - 1} to {seq}")
            break
    numbers = collections.defaultdict(list)
    for seq, alert, number in stored:
        numbers[alert].append(number)
    for alert, of_alert in numbers.items():
        if of_alert != list(range(1, len(of_alert) + 1)):
            faults.append(f"alert {alert}: its transitions are numbered {of_alert}")
    by_seq = {seq: (alert, number) for seq, alert, number in stored}
    for seq, alert, number in records.told:
        if by_seq.get(seq) != (alert, number):
            faults.append(f"the stream told {(alert, number)} as seq {seq}, the store has {by_seq.get(seq)}")
    return faults
