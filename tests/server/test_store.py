"""The store's contract, over both databases."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from labial.server.store import Claim, Conflict, Full, NotFound, Store, StoreError
from labial.server.store.tables import metadata

LONG, GONE = 60.0, -1.0
Ready = Callable[..., str]


def submit(store: Store, owner: str = "ann", **given: Any) -> str:
    return store.submit(owner, "check", {"inputs": {}, "options": {}}, **given)[0].id


def claimed(store: Store, worker: str = "w", lease: float = LONG) -> Claim:
    claim = store.claim(worker, lease)
    assert claim is not None
    return claim


def test_tables_are_what_the_migrations_make(store: Store) -> None:
    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_store_is_opened_again_as_it_was(database: str) -> None:
    first = Store.open(database)
    job = submit(first)
    first.close()
    again = Store.open(database, migrate=False)
    assert again.job(job).id == job
    again.close()


def test_several_processes_may_start_at_once(database: str) -> None:
    code = (
        "import sys; from labial.server.store import Store; store = Store.open(sys.argv[1])\n"
        "store.submit('ann', 'check', {}); store.close()"
    )
    command = [sys.executable, "-c", code, database]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    store = Store.open(database, migrate=False)
    assert store.counts() == {"queued": 3}
    store.close()


def test_what_cannot_be_opened_is_told_in_one_line(tmp_path: Path, database: str) -> None:
    for url, said in (
        ("mysql://host/name", "use sqlite or postgresql"),
        ("sqlite://", "needs a file"),
        ("://", "use a URL such as"),
        ("postgresql://nobody@127.0.0.1:1/none", "refused"),
        (f"{tmp_path}/none/labial.sqlite", "unable to open"),
    ):
        with pytest.raises(StoreError, match=said) as raised:
            Store.open(url)
        assert "\n" not in str(raised.value)
    with pytest.raises(StoreError, match="older version"):
        Store.open(database, migrate=False)
    store = Store.open(database)
    with store.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'future'"))
    store.close()
    for migrate in (True, False):
        with pytest.raises(StoreError, match="newer version"):
            Store.open(database, migrate)


def test_odd_words_are_kept_as_text(store: Store) -> None:
    upload = store.add_upload("ann", "a\0b\udc80.mp4", 1, None)
    assert store.upload(upload.id).name == "a\ufffdb?.mp4"
    assert store.submit("ann", "check", {"text": "\0\udc80"}, key="\0")[1]
    for odd in ("\0", "\udc80", "x" * 100_000):
        with pytest.raises(NotFound):
            store.job(odd)
    claim = claimed(store)
    assert store.heartbeat(claim, {"stage": "\0"}) == "go"
    assert store.fail(claim, "no \0 file", again=False)
    assert store.fail(claim, "no \0 file", again=False)
    assert store.job(claim.job.id).request == {"text": "\0\udc80"}


def test_an_upload_grows_and_is_settled(store: Store) -> None:
    upload = store.add_upload("ann", "ñ clip.mp4", None, None)
    assert (upload.state, upload.received, upload.size) == ("receiving", 0, None)
    assert upload.id.startswith("upl_")
    assert len(upload.id) == 30
    assert upload.created.tzinfo is not None
    assert abs((datetime.now(timezone.utc) - upload.created).total_seconds()) < 60
    assert store.advance_upload(upload.id, 7).received == 7
    with pytest.raises(Conflict, match="7 bytes are here"):
        store.advance_upload(upload.id, 9, expected=3)
    with pytest.raises(Conflict, match="of 3 bytes"):
        store.advance_upload(upload.id, 3)
    facts = {"seconds": 1.5, "people": []}
    store.settle_upload(upload.id, "ready", holds="video", extension=".mp4", facts=facts, size=7)
    found = store.upload(upload.id, "ann")
    assert (found.state, found.holds, found.facts, found.size) == ("ready", "video", facts, 7)
    with pytest.raises(Conflict, match="it is ready"):
        store.advance_upload(upload.id, 8)
    with pytest.raises(NotFound):
        store.upload(upload.id, "bob")
    with pytest.raises(NotFound):
        store.delete_upload(upload.id, "bob")
    store.delete_upload(upload.id, "ann")
    with pytest.raises(NotFound):
        store.upload(upload.id)


def test_lists_come_in_pages_the_last_first(store: Store) -> None:
    wanted = [submit(store) for _ in range(5)]
    submit(store, "bob")
    found, cursor = [], None
    while True:
        jobs, cursor = store.jobs("ann", limit=2, cursor=cursor)
        found += [job.id for job in jobs]
        if cursor is None:
            break
    assert found == wanted[::-1]
    store.cancel(wanted[0])
    assert [j.id for j in store.jobs("ann", state="cancelled")[0]] == wanted[:1]
    assert store.jobs("ann", kind="dub") == ([], None)
    assert len(store.jobs(None)[0]) == 6
    with pytest.raises(StoreError, match="cursor"):
        store.jobs("ann", cursor="1 OR 1")
    uploads = [store.add_upload("ann", str(n), 1, None).id for n in range(3)]
    page, cursor = store.uploads("ann", limit=2)
    assert [u.id for u in page] == uploads[:0:-1]
    assert [u.id for u in store.uploads("ann", 2, cursor)[0]] == uploads[:1]


def test_the_same_key_is_the_same_job(store: Store) -> None:
    one, fresh = store.submit("ann", "check", {"inputs": {}}, key="k")
    assert fresh
    assert store.submit("ann", "check", {"inputs": {}}, key="k") == (one, False)
    assert store.submit("bob", "check", {"inputs": {}}, key="k")[1]
    with pytest.raises(Conflict, match="another request"):
        store.submit("ann", "fix", {"inputs": {}}, key="k")


def test_the_same_key_at_the_same_moment_is_one_job(store: Store) -> None:
    found: list[tuple[str, bool]] = []

    def ask() -> None:
        job, fresh = store.submit("ann", "check", {"inputs": {}}, key="k")
        found.append((job.id, fresh))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({job for job, _ in found}) == 1
    assert Counter(fresh for _, fresh in found) == {True: 1, False: 5}


def test_uploads_of_a_job_are_there_and_stay(store: Store, ready: Ready) -> None:
    mine, other = ready("ann"), ready("bob")
    raw = store.add_upload("ann", "x", 3, None).id
    for upload, error in ((other, NotFound), ("upl_none", NotFound), (raw, Conflict)):
        with pytest.raises(error):
            store.submit("ann", "check", {"inputs": {"video": upload}})
    job, _ = store.submit("ann", "check", {"inputs": {"video": mine}})
    with pytest.raises(Conflict, match="still needs it"):
        store.delete_upload(mine, "ann")
    store.cancel(job.id, "ann")
    store.delete_upload(mine, "ann")
    with pytest.raises(NotFound, match=mine):
        store.retry(job.id, "ann")


def test_a_job_from_the_queue_to_its_end(store: Store) -> None:
    hook = {"url": "https://example.org/h", "secret": "s"}
    job = submit(store, webhook=hook, estimate=5.0)
    second = submit(store)
    assert (store.queue_ahead(job), store.queue_ahead(second)) == (0, 1)
    claim = claimed(store)
    assert (claim.job.id, claim.job.state, claim.job.attempts) == (job, "running", 1)
    assert store.queue_ahead(second) == 0
    progress = {"stage": "render", "done": 3, "total": 12, "share": 0.25}
    assert store.heartbeat(claim, progress) == "go"
    seen = store.job(job)
    assert seen.progress == progress
    assert store.heartbeat(claim, progress) == store.heartbeat(claim) == "go"
    assert store.job(job).version == seen.version
    result = {"files": {"output": {"key": "k", "size": 3, "type": "video/mp4"}}, "summary": "ok"}
    assert store.finish(claim, result)
    assert store.finish(claim, result), "who asks again must not take it for lost"
    done = store.job(job, "ann")
    assert (done.state, done.result, done.reason) == ("done", result, None)
    assert done.ended
    assert done.version > seen.version
    assert done.finished is not None
    assert done.progress == progress | {"share": 1.0}
    assert store.heartbeat(claim) == "lost"
    assert store.pace("check") is not None
    assert store.pace("dub") is None
    assert [d.event for d in store.deliveries_due()] == ["job.queued", "job.done"]
    for change in (store.cancel, store.retry):
        with pytest.raises(Conflict):
            change(job, "ann")
    store.delete_job(job, "ann")
    assert store.count_active("ann") == 1


def test_who_asks_often_at_once_gets_no_more_than_may_be(store: Store) -> None:
    found: list[str] = []

    def ask() -> None:
        try:
            found.append(submit(store, most_active=3))
        except Full:
            found.append("full")

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found.count("full"), store.count_active("ann")) == (9, 3)
    submit(store, "bob", most_active=1)
    ended = next(each for each in found if each != "full")
    store.cancel(ended)
    submit(store, most_active=3)
    with pytest.raises(Full, match="3 jobs wait or run already"):
        store.retry(ended, "ann", 3)
    assert store.job(ended).state == "cancelled"


def test_a_job_is_kept_from_its_end_on(store: Store) -> None:
    keep = timedelta(hours=1)
    job = submit(store, expires=datetime.now(timezone.utc) + keep)
    waited = timedelta(days=9)
    with store.writing() as connection:
        row = connection.execute(sa.select(metadata.tables["jobs"])).mappings().one()
        before = {name: row[name] - waited for name in ("created", "expires")}
        connection.execute(sa.update(metadata.tables["jobs"]).values(before))
    for again in (False, True):
        if again:
            store.retry(job)
        assert store.expired().jobs == ()
        ended = store.cancel(job)
        assert ended.finished is not None and ended.expires is not None
        assert abs(ended.expires - ended.finished - keep) < timedelta(minutes=1)
        assert store.expired(ended.finished + keep / 2).jobs == ()
        assert store.expired(ended.finished + 2 * keep).jobs == (job,)


def test_a_lost_lease_is_somebody_elses(store: Store) -> None:
    job = submit(store)
    old = claimed(store, "old", GONE)
    new = claimed(store, "new")
    assert (new.job.id, new.job.attempts) == (job, 2)
    assert new.fence > old.fence
    assert store.heartbeat(old, {"stage": "x"}) == "lost"
    assert not store.finish(old, {"files": {}})
    assert not store.fail(old, "no", again=False)
    assert not store.release(old)
    assert store.job(job).state == "running"
    assert store.claim("third", LONG) is None
    assert store.finish(new, {"files": {}})
    assert not store.finish(old, {"files": {}})


def test_an_ended_lease_is_good_until_somebody_takes_it(store: Store) -> None:
    submit(store)
    claim = claimed(store, lease=GONE)
    assert store.heartbeat(claim) == "go"
    assert store.finish(claim, {"files": {}})


def test_a_job_that_kills_its_workers_is_given_up(store: Store) -> None:
    job = submit(store, most_attempts=3)
    for attempt in (1, 2, 3):
        assert claimed(store, lease=GONE).job.attempts == attempt
    assert store.claim("w", LONG) is None
    failed = store.job(job)
    assert failed.state == "failed"
    assert failed.reason == "its worker was lost, given up after 3 attempts"


def test_a_job_that_fails_is_tried_again_later(store: Store) -> None:
    job = submit(store, most_attempts=2)
    assert store.fail(claimed(store), "went wrong", again=True)
    waiting = store.job(job)
    assert (waiting.state, waiting.reason, waiting.attempts) == ("queued", "went wrong", 1)
    assert store.claim("w", LONG) is None, "it waits"
    _bring_forward(store)
    assert store.fail(claimed(store), "went wrong again", again=True)
    failed = store.job(job)
    assert (failed.state, failed.reason) == ("failed", "went wrong again")
    store.retry(job)
    fresh = claimed(store)
    assert (fresh.job.attempts, fresh.job.reason) == (1, None)
    assert store.fail(fresh, "no such face", again=False)
    assert store.job(job).state == "failed"


def _bring_forward(store: Store) -> None:
    past = datetime.now(timezone.utc) - timedelta(hours=1)
    with store.writing() as connection:
        connection.execute(metadata.tables["jobs"].update().values(due=past))


def test_a_job_given_back_was_not_begun(store: Store) -> None:
    job = submit(store)
    first = claimed(store)
    assert store.release(first)
    assert store.job(job).attempts == 0
    second = claimed(store)
    assert second.fence > first.fence
    assert second.job.attempts == 1


def test_cancelling(store: Store) -> None:
    queued, running, late, orphan = (submit(store) for _ in range(4))
    claims = [claimed(store) for _ in range(3)] + [claimed(store, lease=GONE)]
    assert store.release(claims[0])
    assert store.cancel(queued).state == "cancelled"
    assert store.cancel(queued).state == "cancelled"
    assert store.cancel(running).cancelling
    assert store.heartbeat(claims[1]) == "cancel"
    assert store.release(claims[1])
    assert store.job(running).state == "cancelled"
    store.cancel(late)
    assert not store.finish(claims[2], {"files": {}}), "nobody wants it any more"
    assert store.job(late).state == "cancelled"
    store.cancel(orphan)
    assert store.claim("w", LONG) is None
    assert store.job(orphan).state == "cancelled"
    with pytest.raises(NotFound):
        store.cancel(queued, "bob")


def test_owners_take_turns(store: Store) -> None:
    for _ in range(6):
        submit(store, "ann")
    for _ in range(2):
        submit(store, "bob")
    turns = []
    for _ in range(8):
        claim = claimed(store)
        turns.append(claim.job.owner)
        store.finish(claim, {"files": {}})
    assert turns == ["ann", "bob", "ann", "bob", "ann", "ann", "ann", "ann"]


def test_an_owner_has_no_more_at_once_than_its_token_says(store: Store) -> None:
    token = store.add_token("ann", "t", "d", ["write"], {"running_jobs": 2})
    for _ in range(4):
        submit(store, "ann")
    submit(store, "bob")
    claims = [claimed(store) for _ in range(3)]
    assert Counter(c.job.owner for c in claims) == {"ann": 2, "bob": 1}
    assert store.claim("w", LONG) is None
    store.finish(next(c for c in claims if c.job.owner == "ann"), {"files": {}})
    assert claimed(store).job.owner == "ann"
    assert store.claim("w", LONG) is None
    store.revoke_token(token.id)
    assert claimed(store).job.owner == "ann", "no token, no limit"


def test_many_at_once_do_each_job_once(store: Store) -> None:
    store.add_token("ann", "t", "d", ["write"], {"running_jobs": 3})
    for n in range(40):
        submit(store, "ann" if n % 2 else "bob")
    done: list[str] = []
    most: list[int] = []
    running: Counter[str] = Counter()
    lock = threading.Lock()

    def work(name: str) -> None:
        while store.count_active():
            claim = store.claim(name, LONG)
            if claim is None:
                time.sleep(0.01)
                continue
            with lock:
                running[claim.job.owner] += 1
                most.append(running["ann"])
            time.sleep(0.005)
            with lock:
                running[claim.job.owner] -= 1
            assert store.finish(claim, {"files": {}})
            done.append(claim.job.id)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == len(set(done)) == 40
    assert max(most) <= 3
    assert store.counts() == {"done": 40}


def test_tokens(store: Store) -> None:
    past = datetime.now(timezone.utc) - timedelta(seconds=5)
    token = store.add_token("ann", "laptop", "abc", ["read", "write"], {"upload_gb": 2})
    store.add_token("ann", "old", "old", ["read"], {}, past)
    assert store.token_by_digest("abc") == token
    assert token.scopes == ("read", "write")
    assert store.token_by_digest("old") is store.token_by_digest("none") is None
    with pytest.raises(Conflict):
        store.add_token("bob", "x", "abc", [], {})
    store.revoke_token(token.id)
    store.revoke_token(token.id)
    assert store.token_by_digest("abc") is None
    assert [t.name for t in store.tokens()] == ["laptop", "old"]
    with pytest.raises(NotFound):
        store.revoke_token("tok_none")


def test_deliveries(store: Store) -> None:
    job = submit(store, webhook={"url": "https://example.org", "secret": "s"})
    submit(store)
    store.cancel(job)
    queued, cancelled = store.deliveries_due()
    assert (queued.event, queued.url, queued.secret, queued.attempts) == (
        "job.queued",
        "https://example.org",
        "s",
        0,
    )
    assert cancelled.payload["state"] == "cancelled"
    assert cancelled.payload["id"] == job
    assert store.deliveries_due() == [], "somebody has them in hand"
    store.delivered(queued.id)
    later = datetime.now(timezone.utc) + timedelta(hours=1)
    store.delivery_failed(cancelled.id, later, "timeout")
    assert store.deliveries_due(later - timedelta(seconds=5)) == []
    again = store.deliveries_due(later + timedelta(seconds=5))
    assert [(d.id, d.attempts) for d in again] == [(cancelled.id, 1)]
    store.delivery_failed(cancelled.id, None, "timeout")
    assert store.deliveries_due(later + timedelta(days=9)) == []
    other = submit(store, webhook={"url": "https://example.org", "secret": "s"})
    store.cancel(other)
    store.delete_job(job)
    store.delete_job(other)
    with store.reading() as connection:
        left = connection.execute(sa.select(metadata.tables["outbox"].c.job)).scalars().all()
    assert left == [other, other], "what was given up is forgotten, what is due is told"


def test_what_may_be_deleted(store: Store) -> None:
    now = datetime.now(timezone.utc)
    past = now - timedelta(seconds=5)
    uploads = [store.add_upload("ann", "x", 1, past if n else None).id for n in range(3)]
    for upload in uploads:
        store.settle_upload(upload, "ready")
    waiting, _ = store.submit("ann", "check", {"inputs": {"v": uploads[1]}}, expires=past)
    ended = submit(store, expires=past)
    submit(store, expires=now + timedelta(days=1))
    store.cancel(ended)
    found = store.expired(now)
    assert found.jobs == (ended,)
    assert found.uploads == (uploads[2],)
    store.cancel(waiting.id)
    assert set(store.expired().uploads) == set(uploads[1:])
    assert store.expired(past - timedelta(days=1)).jobs == ()
    store.ping()
