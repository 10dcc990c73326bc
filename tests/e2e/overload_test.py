# SPDX-License-Identifier: Apache-2.0
"""What takes memory away, at a twentieth of its full size: scripts/overload finds nothing wrong."""
import subprocess
import sys
import unittest

from running import SOURCE


class Overload(unittest.TestCase):
    def test_a_daemon_stays_within_its_memory_and_a_legitimate_agent_goes_on(self):
        run = subprocess.run([sys.executable, SOURCE / "scripts" / "overload", "--share", "0.05"],
                             capture_output=True, text=True, timeout=500)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("a_dead_receiver: peak", run.stdout)


if __name__ == "__main__":
    unittest.main()
