# SPDX-License-Identifier: BSD-2-Clause
"""cut - what a disk holds when the power is cut: reads what recorder.c wrote down, and makes the folder as it would be found.

Two disks. The forgetful one keeps only what was synced: a name of a folder as of that folder's last fsync, a file's text as of the file's.
The eager one keeps every change of a name at once, and of a file only what was synced: a file that was renamed before it was synced is
empty there. What holds on both holds on every disk between them."""
import os
import shutil


class Disk:
    def __init__(self, folder, eager):
        self.folder, self.eager = folder, eager
        self.names, self.files, self.kept = {}, {}, {}  # folder's path or number -> {name: number}; number -> content; names synced
        self.number = 0
        self.top = self._read(folder)
        self.kept = {d: dict(n) for d, n in self.names.items()}

    def _new(self):
        self.number += 1
        return self.number

    def _read(self, path):
        mine = self._new()
        self.names[mine] = {}
        for e in os.scandir(path):
            if e.is_dir(follow_symlinks=False):
                self.names[mine][e.name] = self._read(e.path)
            elif e.is_file(follow_symlinks=False):
                n = self.names[mine][e.name] = self._new()
                with open(e.path, "rb") as f:
                    self.files[n] = f.read()
        return mine

    def _at(self, path):
        at = self.top
        for part in os.path.relpath(path, self.folder).split("/"):
            if part != ".":
                at = self.names[at][part]
        return at

    def _entry(self, path):
        return self.names[self._at(os.path.dirname(path))], os.path.basename(path)

    def do(self, step):
        """One line: (number, what, path, to, synced content)."""
        _, what, path, to, content = step
        if what == "syncdir":
            d = self._at(path)
            self.kept[d] = dict(self.names[d])
        elif what == "sync":
            self.files[self._at(path)] = content
        elif what in ("create", "mkdir"):
            names, name = self._entry(path)
            n = names[name] = self._new()
            if what == "mkdir":
                self.names[n], self.kept[n] = {}, {}
            else:
                self.files[n] = b""
        elif what == "rename":
            names, name = self._entry(path)
            names_to, name_to = self._entry(to)
            names_to[name_to] = names.pop(name)
        elif what in ("unlink", "rmdir"):
            names, name = self._entry(path)
            names.pop(name)

    def write(self, to):
        """What is found there later, as a folder. Owner and mode are those of a new file."""
        shutil.rmtree(to, ignore_errors=True)
        self._write(self.top, to)

    def _write(self, number, to):
        os.makedirs(to)
        os.chmod(to, 0o700)
        for name, n in (self.names if self.eager else self.kept)[number].items():
            if n in self.names:
                self._write(n, f"{to}/{name}")
            else:
                with open(f"{to}/{name}", "wb") as f:
                    f.write(self.files[n])


def steps(log):
    found = []
    if not os.path.exists(f"{log}/log"):
        return found
    with open(f"{log}/log", encoding="utf-8") as f:
        for line in f:
            number, what, path, to = line.rstrip("\n").split("\t")
            content = None
            if what == "sync":
                with open(f"{log}/{number}", "rb") as c:
                    content = c.read()
            found.append((int(number), what, path, to, content))
    return found
