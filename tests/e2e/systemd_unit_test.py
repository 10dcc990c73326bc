# SPDX-License-Identifier: Apache-2.0
"""The systemd unit gives the daemon as few rights as it needs."""
import json
import shutil
import subprocess
import unittest

from running import PATIENCE, SOURCE

UNIT = SOURCE / "config" / "tocsind.service"
EXPOSURE_MAX = 2.0


class Unit(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_its_exposure_is_small(self):
        judged = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", "--json=short",
             f"--threshold={EXPOSURE_MAX * 10:.0f}", UNIT],
            capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)
        self.assertGreater(len(json.loads(judged.stdout)), 50, "that many things were looked at")

    def test_it_is_told_when_the_daemon_is_ready_and_not_started_again_with_bad_settings(self):
        settings = dict(line.split("=", 1) for line in UNIT.read_text().splitlines()
                        if "=" in line and not line.startswith("#"))
        self.assertEqual(settings["Type"], "notify")
        self.assertEqual(settings["RestartPreventExitStatus"], "78")
        self.assertGreaterEqual(int(settings["LimitNOFILE"]), 65536)


if __name__ == "__main__":
    unittest.main()
