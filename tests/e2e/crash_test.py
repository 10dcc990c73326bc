# SPDX-License-Identifier: Apache-2.0
"""A daemon that is killed while agents send: what was acknowledged counts once, and timers go off. And the checker
finds what would break that."""
import dataclasses
import pathlib
import shutil
import tempfile
import unittest

from crash_records import CLOCK_SLACK_MS, EVENTS_OF_KEY, SILENCE_MS, Notice, Records, check
from crashes import Chaos


HEARD = 1_800_000_000_000


def good_records():
    """Two keys that are full, a third with a few events, a pulse, and an alert each for the first two and the pulse. Of
    its two notices one was refused at first."""
    return Records(
        sent={"a": EVENTS_OF_KEY, "b": EVENTS_OF_KEY, "c": 3},
        acknowledged={"a": EVENTS_OF_KEY, "b": EVENTS_OF_KEY, "c": 3},
        pulses={"p": (HEARD, HEARD + 5)},
        silences={"p": (HEARD, HEARD + SILENCE_MS)},
        fired=[("full", "a", "id-a"), ("full", "b", "id-b"), ("silent", "p", "id-p")],
        stored=[(1, "id-a", 1), (2, "id-b", 1), (3, "id-a", 2)],
        told=[(1, "id-a", 1), (3, "id-a", 2)],
        notices=[Notice("n1", ("id-a", "id-b"), "text 1", False), Notice("n2", ("id-p",), "text 2", True),
                 Notice("n1", ("id-a", "id-b"), "text 1", True)])


class TheChecker(unittest.TestCase):
    def finds(self, change, *wanted):
        records = good_records()
        change(records)
        faults = check(records)
        self.assertEqual(len(faults), len(wanted), faults)
        for fault, pattern in zip(faults, wanted):
            self.assertRegex(fault, pattern)

    def test_a_run_in_which_all_was_kept_has_no_fault(self):
        self.assertEqual(check(good_records()), [])

    def test_an_acknowledged_event_that_was_lost_is_found(self):
        def change(records):
            del records.fired[1]
            records.notices = [dataclasses.replace(each, alerts=("id-a",)) if each.id == "n1" else each
                               for each in records.notices]
        self.finds(change, "b: 25 events were acknowledged, and fewer")

    def test_an_event_counted_twice_is_found(self):
        self.finds(lambda records: records.fired.append(("over", "a", "id-x")), "a: more events were counted",
                   "a: the alert of over is in no notice")

    def test_an_event_counted_twice_before_all_were_sent_is_found(self):
        self.finds(lambda records: records.fired.append(("full", "c", "id-c")), "c: 25 events were counted, 3 were sent",
                   "c: the alert of full is in no notice")

    def test_two_alerts_where_there_is_one_are_found(self):
        self.finds(lambda records: records.fired.append(("full", "a", "id-x")), "a: full has 2 alerts",
                   "a: the alert of full is in no notice")

    def test_an_alert_id_given_twice_is_found(self):
        def change(records):
            records.fired[1] = ("full", "b", "id-a")
        self.finds(change, "alert id id-a is that of 2 alerts", "notice n1 tells of alert id-b, which there is not")

    def test_a_gap_in_seq_is_found(self):
        def change(records):
            records.stored[2] = (4, "id-a", 2)
            records.told[1] = (4, "id-a", 2)
        self.finds(change, "seq goes from 2 to 4")

    def test_a_transition_numbered_twice_is_found(self):
        def change(records):
            records.stored[2] = (3, "id-a", 1)
            records.told[1] = (3, "id-a", 1)
        self.finds(change, r"id-a: its transitions are numbered \[1, 1\]")

    def test_a_transition_that_was_told_and_then_lost_is_found(self):
        self.finds(lambda records: records.told.append((4, "id-b", 2)), "told .* as seq 4, the store has None")

    def test_a_seq_told_for_two_transitions_is_found(self):
        self.finds(lambda records: records.told.append((2, "id-a", 2)), "as seq 2, the store has")

    def test_a_refused_event_is_found(self):
        self.finds(lambda records: records.refused.append("too_old"), "refused: too_old")

    def test_windows_that_a_restart_could_not_keep_are_found(self):
        self.finds(lambda records: records.gaps.append("windows are not as they were"), "a restart has lost windows: ")

    def test_a_silence_that_nobody_noticed_is_found(self):
        def change(records):
            records.silences.clear()
            del records.fired[2], records.notices[1]
        self.finds(change, "p: was heard once, and no alert says that it is silent")

    def test_a_pulse_that_was_never_acknowledged_may_be_lost(self):
        def change(records):
            records.pulses["q"] = (HEARD, None)
        self.finds(change)

    def test_a_silence_that_counts_from_another_time_is_found(self):
        self.finds(lambda records: records.silences.update(p=(HEARD + 1, HEARD + SILENCE_MS)),
                   f"p: was heard at {HEARD}, its silence counts from {HEARD + 1}")

    def test_a_silence_that_is_noticed_too_early_is_found(self):
        self.finds(lambda records: records.silences.update(p=(HEARD, HEARD + SILENCE_MS - 1)),
                   "p: .* silent too long at .* already")

    def test_a_silence_that_is_noticed_too_late_is_found(self):
        late = HEARD + SILENCE_MS + CLOCK_SLACK_MS + 1
        self.finds(lambda records: records.silences.update(p=(HEARD, late)), f"p: .* silent too long at {late}, not by")

    def test_a_silence_of_what_came_in_late_may_be_noticed_at_its_arrival(self):
        def change(records):
            records.pulses["p"] = (HEARD, HEARD + 2 * SILENCE_MS)
            records.silences["p"] = (HEARD, HEARD + 2 * SILENCE_MS)
        self.finds(change)

    def test_a_silence_of_what_was_never_sent_is_found(self):
        self.finds(lambda records: records.silences.update(q=(HEARD, HEARD)), "q: .* nobody sent its pulse")

    def test_an_alert_that_nobody_was_told_of_is_found(self):
        def change(records):
            del records.notices[1]
        self.finds(change, "p: the alert of silent is in no notice that was taken")

    def test_a_notice_that_was_refused_and_not_sent_again_is_found(self):
        self.finds(lambda records: records.notices.pop(), "a: the alert of full is in no notice",
                   "b: the alert of full is in no notice")

    def test_a_notice_that_comes_again_with_another_text_is_found(self):
        self.finds(lambda records: records.notices.append(Notice("n2", ("id-p",), "text 3", True)),
                   "notice n2 came with 2 contents")

    def test_a_notice_that_comes_again_under_another_id_is_found(self):
        self.finds(lambda records: records.notices.append(Notice("n3", ("id-p",), "text 2", True)),
                   "the same 1 alerts were told by the notices n2, n3")


class Crashes(unittest.TestCase):
    def test_what_was_acknowledged_counts_once_through_five_kills(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        chaos = Chaos(folder, seed=1)
        records = chaos.run(kills=5)
        self.assertEqual(check(records), [], chaos.summary(records))
        self.assertTrue(records.stored, "nothing has fired, so nothing was tried")
        self.assertTrue(records.silences, "no timer went off, so none was tried")


if __name__ == "__main__":
    unittest.main()
