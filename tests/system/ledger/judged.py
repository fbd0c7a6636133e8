# SPDX-License-Identifier: BSD-2-Clause
"""judged - what a receiver that knows nothing of us but DNS finds about a mail that we sent: by `assay verify`, from a client
without SPF, with the null sender."""
import json
import os
import subprocess


def judged(build, folder, path, rcpt='a@b.example'):
    """The findings; the folder has `policy` and `dns` (saved answers)."""
    command = [os.path.join(build, 'assay'), 'verify', path, '--json', '--ip', '192.0.2.50', '--helo', 'x.example', '--from', '<>']
    command += ['--rcpt', rcpt, '--policy', folder + '/policy', '--dns', folder + '/dns']
    done = subprocess.run(command, capture_output=True, text=True)
    return json.loads(done.stdout)[0]['classes'][0]['findings']
