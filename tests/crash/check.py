#!/usr/bin/env python3
"""Holds what a crash test was told against what the stopped server left: check.py DATA_DIR TOLD.json

TOLD.json, all lists and objects by job id where not said otherwise:
  accepted    [job]            201 was answered
  restarted   {job: times}     200 was answered
  cancelled   [job]            200 was answered
  deleted     [analysis]       was asked for, whatever the answer
  milestones  [[user, job, event, seq]]   what sockets were told, progress apart
Prints what is wrong, a line each, then one line of counts. Exit code 1 where something is.
"""
import collections
import json
import pathlib
import re
import sqlite3
import sys

QUEUED, STARTED, PROGRESS, COMPLETED, FAILED, CANCELLED = range(6)
ENDS = (COMPLETED, FAILED, CANCELLED)
WORDS = ["job-queued", "job-started", "job-progress", "job-completed", "job-failed", "job-cancelled"]
STATE_OF_END = {COMPLETED: 2, FAILED: 3, CANCELLED: 4}


class Check:
    def __init__(self, folder, told):
        self.folder = pathlib.Path(folder)
        self.told = told
        self.database = sqlite3.connect(f"file:{self.folder}/rushes.db?mode=ro", uri=True)
        self.wrong = []

    def rows(self, sql):
        return self.database.execute(sql)

    def fault(self, text):
        self.wrong.append(text)

    def read(self):
        self.jobs = {
            job: (state, type_, json.loads(input_), user, audit)
            for job, state, type_, input_, user, audit in self.rows(
                "SELECT id, state, type, input, user_id, audit_id FROM jobs")
        }
        self.analyses = {
            job: (audit, user, json.loads(result))
            for audit, job, user, result in self.rows("SELECT id, job_id, user_id, result FROM analyses")
        }
        self.events = collections.defaultdict(list)
        self.logged = set()
        last_of = {}
        for id_, user, seq, job, type_, payload in self.rows(
                "SELECT id, user_id, seq, job_id, type, payload FROM log ORDER BY id"):
            if seq <= last_of.get(user, 0):
                self.fault(f"event {id_}: {user}'s number {seq} follows {last_of[user]}")
            last_of[user] = seq
            # A submit's event says what the job's row says, and has none.
            self.events[job].append((type_, json.loads(payload or "{}"), user))
            self.logged.add((user, job, WORDS[type_], seq))

    def check_database(self):
        for (line,) in self.rows("PRAGMA integrity_check"):
            if line != "ok":
                self.fault(f"integrity_check: {line}")

    def check_promises(self):
        for job in self.told["accepted"]:
            if job not in self.jobs:
                self.fault(f"job {job} was accepted and is lost")
        for job, times in self.told["restarted"].items():
            restarts = sum(1 for type_, payload, _ in self.events[job] if is_restart(type_, payload))
            if restarts < times:
                self.fault(f"job {job} was restarted {times} times, the log has {restarts}")
        for job in self.told["cancelled"]:
            if all(type_ != CANCELLED for type_, _, _ in self.events[job]):
                self.fault(f"job {job} was said to be cancelled and was not")
        for user, job, event, seq in self.told["milestones"]:
            if (user, job, event, seq) not in self.logged:
                self.fault(f"{user} was told {event} of job {job} as {seq}: not in the log")

    def check_jobs(self):
        for job, (state, type_, input_, user, audit) in self.jobs.items():
            if state < 2:
                self.fault(f"job {job} has not ended: state {state}")
            self.check_story(job, state, user)
            if state != 2:
                continue
            saved = self.analyses.get(job)
            if saved is None:
                # A restart may have come to the same end after its analysis was deleted.
                if audit is not None and audit not in self.told["deleted"]:
                    self.fault(f"job {job} is completed, its analysis {audit} is missing")
            elif saved[0] != audit or saved[1] != user or not saved[2].get("summary"):
                self.fault(f"job {job} is completed, its analysis is not its own")
        for job, (audit, _, result) in self.analyses.items():
            if job not in self.jobs:
                self.fault(f"analysis {audit} is of no job")
            for url in re.findall(r'"(/files/[^"]+)"', json.dumps(result)):
                if not (self.folder / url[1:]).is_file():
                    self.fault(f"analysis {audit} names {url}, which is gone")

    def check_story(self, job, state, user):
        open_, end = False, None
        for type_, payload, owner in self.events[job]:
            if owner != user:
                self.fault(f"job {job} of {user}: {owner} was told")
            if end is not None and not is_restart(type_, payload):
                self.fault(f"job {job}: {WORDS[type_]} after {WORDS[end]}")
            if type_ == QUEUED:
                open_, end = True, None
            elif not open_:
                self.fault(f"job {job}: {WORDS[type_]} before job-queued")
            elif type_ in ENDS:
                open_, end = False, type_
        if end is None or STATE_OF_END[end] != state:
            self.fault(f"job {job} is in state {state}, its log ends with {'nothing' if end is None else WORDS[end]}")

    def check_files(self):
        uploads = {input_["upload"] for _, _, input_, _, _ in self.jobs.values() if "upload" in input_}
        audits = {audit for audit, _, _ in self.analyses.values()}
        for entry in self.entries("uploads"):
            if entry.name not in uploads:
                self.fault(f"{entry} is of no job")
        for entry in self.entries("files"):
            if entry.name[:36] not in audits:
                self.fault(f"{entry} is of no analysis")
        for entry in self.entries("scratch"):
            self.fault(f"{entry} is left of an attempt")
        for job, (_, type_, input_, _, _) in self.jobs.items():
            if type_ == 1 and not (self.folder / "uploads" / input_["upload"] / "source").is_file():
                self.fault(f"job {job}: its upload is gone")

    def entries(self, name):
        folder = self.folder / name
        return list(folder.iterdir()) if folder.is_dir() else []


def is_restart(type_, payload):
    metadata = payload.get("metadata", {})
    return type_ == QUEUED and metadata.get("restarted") is True and not metadata.get("positionChanged")


def main():
    check = Check(sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text()))
    check.check_database()
    check.read()
    check.check_promises()
    check.check_jobs()
    check.check_files()
    print("\n".join(check.wrong[:40]))
    states = collections.Counter(state for state, *_ in check.jobs.values())
    print(f"checked {len(check.jobs)} jobs ({states[2]} completed, {states[3]} failed, {states[4]} cancelled), "
          f"{sum(map(len, check.events.values()))} events, {len(check.analyses)} analyses; {len(check.wrong)} wrong")
    return 1 if check.wrong else 0


sys.exit(main())
