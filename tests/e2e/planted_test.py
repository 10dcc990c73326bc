# SPDX-License-Identifier: Apache-2.0
"""The bugs of tests/planted, with which scripts/chaos --planted is tried, can be planted in the tree as it is."""
import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATCHES = sorted((ROOT / "tests" / "planted").glob("*.patch"))
REQUIRED = {"acknowledge-before-append", "forgotten-duplicates", "lost-group-timers", "lost-absence-timers"}


class Planted(unittest.TestCase):
    def test_there_is_a_bug_for_each_promise(self):
        self.assertLessEqual(REQUIRED, {each.stem for each in PATCHES})

    def test_each_patch_applies_to_the_tree(self):
        for each in PATCHES:
            with self.subTest(each.stem):
                # With patch, since a tree need not be a repository; the script applies it in the same way.
                done = subprocess.run(["patch", "-p1", "--dry-run", "--fuzz=0", "--force", "-i", each], cwd=ROOT,
                                      capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, f"{done.stdout}{done.stderr}")

    def test_each_patch_says_in_its_first_line_what_the_bug_is(self):
        for each in PATCHES:
            with self.subTest(each.stem):
                first = each.read_text().splitlines()[0]
                self.assertTrue(first.endswith(".") and not first.startswith(("-", "diff", "Index")), first)


if __name__ == "__main__":
    unittest.main()
