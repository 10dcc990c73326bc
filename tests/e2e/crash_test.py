# SPDX-License-Identifier: Apache-2.0
"""A daemon that is killed while agents send: what was acknowledged counts once. And the checker finds what would
break that."""
import pathlib
import shutil
import tempfile
import unittest

from crashes import EVENTS_OF_KEY, Chaos, Records, check


def good_records():
    """Two keys that are full, a third with a few events, and an alert each for the first two."""
    return Records(
        sent={"a": EVENTS_OF_KEY, "b": EVENTS_OF_KEY, "c": 3},
        acknowledged={"a": EVENTS_OF_KEY, "b": EVENTS_OF_KEY, "c": 3},
        fired=[("full", "a", "id-a"), ("full", "b", "id-b")],
        stored=[(1, "id-a", 1), (2, "id-b", 1), (3, "id-a", 2)],
        told=[(1, "id-a", 1), (3, "id-a", 2)])


class TheChecker(unittest.TestCase):
    def finds(self, change, wanted):
        records = good_records()
        change(records)
        faults = check(records)
        self.assertEqual(len(faults), 1, faults)
        self.assertRegex(faults[0], wanted)

    def test_a_run_in_which_all_was_kept_has_no_fault(self):
        self.assertEqual(check(good_records()), [])

    def test_an_acknowledged_event_that_was_lost_is_found(self):
        self.finds(lambda records: records.fired.pop(), "b: 25 events were acknowledged, and fewer")

    def test_an_event_counted_twice_is_found(self):
        self.finds(lambda records: records.fired.append(("over", "a", "id-x")), "a: more events were counted")

    def test_an_event_counted_twice_before_all_were_sent_is_found(self):
        self.finds(lambda records: records.fired.append(("full", "c", "id-c")), "c: 25 events were counted, 3 were sent")

    def test_two_alerts_where_there_is_one_are_found(self):
        self.finds(lambda records: records.fired.append(("full", "a", "id-x")), "a: full has 2 alerts")

    def test_an_alert_id_given_twice_is_found(self):
        def change(records):
            records.fired[1] = ("full", "b", "id-a")
        self.finds(change, "alert id id-a is that of 2 alerts")

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


class Crashes(unittest.TestCase):
    def test_what_was_acknowledged_counts_once_through_five_kills(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        chaos = Chaos(folder, seed=1)
        records = chaos.run(kills=5)
        self.assertEqual(check(records), [], chaos.summary(records))
        self.assertTrue(records.stored, "nothing has fired, so nothing was tried")


if __name__ == "__main__":
    unittest.main()
