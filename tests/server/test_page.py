"""The page in a browser, against a server of its own: one server and one browser for all."""

import os
import re
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from browsing import browser, expect_room, expect_usable, until, window
from playwright.sync_api import Browser, Page, expect
from synth import need_face_model
from test_dubbing import actor, write_clip, write_speech

_LABIAL = "import sys; from labial.cli import main; sys.exit(main())"


@dataclass
class Studio:
    """A server that runs, and files for it."""

    address: str
    data: Path
    video: Path
    speech: Path
    bad: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.address + path, timeout=30)


@pytest.fixture(scope="module")
def started() -> Iterator[Browser]:
    with browser() as found:
        yield found


@contextmanager
def serving(data: Path, log: Path) -> Iterator[str]:
    """Run ``labial serve`` at a free port; its address."""
    command = [sys.executable, "-c", _LABIAL, "serve", "--port", "0", "--data", str(data)]
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as server,
    ):
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            found = re.search(r"http://\S+", line)
            assert found, line + log.read_text()
            yield found[0].rstrip("/")
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture(scope="module")
def studio(started: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    need_face_model()
    home = tmp_path_factory.mktemp("page")
    video = write_clip(home / "actor.mp4", actor(), codec="h264")
    speech = write_speech(home / "speech.wav", 1.2)
    (home / "notes.mp4").write_bytes(bytes(range(256)) * 40)
    with serving(home / "data", home / "log.txt") as address:
        yield Studio(address, home / "data", video, speech, home / "notes.mp4")


def add_video(page: Page, studio: Studio) -> None:
    """Begin with a video and wait until it was looked at."""
    page.goto(studio.address)
    page.locator(".drop input[type=file]").set_input_files(studio.video)
    expect(page.locator(".who")).to_have_count(2)


def add_speech(page: Page, studio: Studio) -> None:
    page.locator(".card input[type=file]").set_input_files(studio.speech)
    expect(page.locator(".voice .wave canvas")).to_be_visible()


def seconds(page: Page, which: str) -> float:
    time: float = page.locator(which).evaluate("(video) => video.currentTime")
    return time


def test_a_video_is_given_new_words_looked_at_and_downloaded(
    started: Browser, studio: Studio, tmp_path: Path
) -> None:
    with window(started) as page:
        page.goto(studio.address)
        expect_usable(page)
        add_video(page, studio)
        expect(page.get_by_text("Will it work?")).to_be_visible()
        page.get_by_role("button", name="Person 1 speaks").click()
        expect(page.get_by_role("radio", name="Person 1")).to_be_checked()
        expect(page.get_by_role("button", name="Make the video")).to_have_attribute(
            "aria-disabled", "true"
        )
        add_speech(page, studio)
        page.get_by_text("More options").click()
        page.get_by_text("The mouth", exact=True).click()
        expect(page.get_by_label("Articulation")).to_be_visible()
        expect_usable(page)
        page.reload()
        expect(page.locator(".voice .wave canvas")).to_be_visible()
        expect(page.get_by_role("radio", name="Person 1")).to_be_checked()
        page.locator(".quality", has_text="Fast").click()
        page.get_by_role("button", name="Make the video").click()
        page.wait_for_url("**/#/jobs/job_*")
        job = page.url.rpartition("/")[2]
        page.reload()
        expect(page.locator(".compare video.output")).to_be_visible(timeout=60_000)
        expect_usable(page)
        until(page, "document.querySelector('video.output').readyState >= 3")
        page.get_by_role("button", name="Play", exact=True).click()
        until(page, "document.querySelector('video.output').currentTime > 0.4")
        until(page, "document.querySelector('video.source').currentTime > 0.3")
        page.get_by_role("button", name="Pause", exact=True).click()
        page.get_by_role("button", name="One frame on").click()
        until(
            page,
            "(([a, b]) => Math.abs(a.currentTime - b.currentTime) < 0.02)"
            "([...document.querySelectorAll('.compare video')])",
        )
        wipe = page.get_by_role("slider", name="Wipe")
        wipe.focus()
        page.keyboard.press("Home")
        assert wipe.get_attribute("aria-valuenow") == "0"
        expect(page.locator(".card .wave")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        download.value.save_as(tmp_path / "got.mp4")
        assert download.value.suggested_filename == "actor.output.mp4"
        made = studio.get(f"/v1/jobs/{job}/files/output")
        assert (tmp_path / "got.mp4").read_bytes() == made.content
        assert studio.get(f"/v1/jobs/{job}").json()["options"]["speaker"] == "0"
        page.get_by_role("link", name="History").click()
        expect(page.locator(".jobs li")).to_have_count(1)
        expect_usable(page)


def test_three_seconds_of_the_mouth_are_shown(started: Browser, studio: Studio) -> None:
    with window(started, scheme="dark") as page:
        add_video(page, studio)
        page.get_by_label("To (s)").fill("1")
        page.get_by_label("To (s)").press("Enter")
        page.get_by_role("radio", name="Type a script").check()
        page.get_by_label("What the face is to say").fill("Hello.")
        expect(page.get_by_role("combobox", name="Voice", exact=True)).to_be_visible()
        expect_usable(page)
        page.get_by_role("radio", name="Voice tracks").check()
        add_speech(page, studio)
        page.locator(".quality", has_text="Fast").click()
        page.get_by_role("button", name="See 3 seconds").click()
        expect(page.locator(".mouth video")).to_be_visible(timeout=60_000)
        expect_usable(page)
        page.get_by_role("link", name="History").click()
        expect(page.locator(".history")).to_be_visible()
        jobs = studio.get("/v1/jobs?kind=dub&limit=1").json()["items"]
        assert jobs[0]["options"]["trim"] == "0.00-1.00"


@contextmanager
def held_job(studio: Studio) -> Iterator[None]:
    """Stop the process that does a job, so that it lasts until it is cancelled."""
    process = job_process(studio)
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        # Cancelled, it is gone; otherwise it must not keep the worker from other tests.
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def job_process(studio: Studio) -> int:
    ours = str(studio.data).encode()
    for _ in range(600):
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(FileNotFoundError, ProcessLookupError):
                command = (place / "cmdline").read_bytes()
                if b"labial.jobs.child" in command and ours in command:
                    return int(place.name)
        time.sleep(0.05)
    raise AssertionError("no job has begun")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_job_is_cancelled_and_tried_again(started: Browser, studio: Studio) -> None:
    with window(started, spared="ERR_INTERNET_DISCONNECTED") as page:
        add_video(page, studio)
        add_speech(page, studio)
        page.get_by_role("button", name="Make the video").click()
        with held_job(studio):
            expect(page.get_by_role("progressbar")).to_be_visible()
            expect_usable(page)
            page.context.set_offline(True)
            expect(page.get_by_text("The server does not answer")).to_be_visible()
            page.context.set_offline(False)
            expect(page.get_by_text("The server does not answer")).to_have_count(0)
            page.get_by_role("button", name="Cancel").click()
            expect(page.get_by_text("It was cancelled")).to_be_visible()
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
        page.get_by_role("link", name="History").click()
        page.get_by_label("State").select_option("cancelled")
        expect(page.locator(".jobs li")).to_have_count(1)
        page.get_by_role("button", name="Delete:").click()
        expect_usable(page)
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.get_by_text("Nothing here yet")).to_be_visible()


def test_a_bad_file_is_told_in_plain_words(started: Browser, studio: Studio) -> None:
    with window(started) as page:
        page.goto(studio.address)
        page.locator(".drop input[type=file]").set_input_files(studio.bad)
        told = page.locator(".upload .notice")
        expect(told).to_contain_text("notes.mp4 cannot be used")
        expect_usable(page)
        told.get_by_role("button", name="Close").click()
        expect(told).to_have_count(0)


def test_a_text_that_is_called_a_video_is_no_script(
    started: Browser, studio: Studio, tmp_path: Path
) -> None:
    (tmp_path / "letter.mp4").write_text("Dear all,\nthis is a letter.\n", encoding="utf-8")
    with window(started) as page:
        page.goto(studio.address)
        page.locator(".drop input[type=file]").set_input_files(tmp_path / "letter.mp4")
        expect(page.get_by_text("letter.mp4 cannot be used: it is a text")).to_be_visible()
        expect(page.locator(".hero")).to_be_visible()


def test_an_upload_of_another_tab_was_not_interrupted(started: Browser, studio: Studio) -> None:
    kept = "localStorage.setItem('labial.uploads', '{\"film.mp4|1|1\": \"upl_1\"}')"
    with window(started) as page:
        page.goto(studio.address)
        page.evaluate(kept)
        page.reload()
        expect(page.get_by_text("Sending film.mp4 was interrupted")).to_be_visible()
        other = page.context.new_page()
        other.goto(studio.address)
        other.evaluate(
            "void navigator.locks.request('labial.upload.film.mp4|1|1', () => new Promise(String))"
        )
        page.reload()
        expect(page.locator(".drop")).to_be_visible()
        expect(page.get_by_text("was interrupted")).to_have_count(0)
        other.close()
        page.reload()
        page.get_by_role("button", name="Never mind").click()
        expect(page.get_by_text("was interrupted")).to_have_count(0)
        assert page.evaluate("localStorage.getItem('labial.uploads')") == "{}"


def test_voices_have_the_language_of_their_names_and_longer_ones_are_told(
    started: Browser, studio: Studio, tmp_path: Path
) -> None:
    spanish = write_speech(tmp_path / "film.es.wav", 3.0)
    with window(started) as page:
        add_video(page, studio)
        page.locator(".card input[type=file]").set_input_files(spanish)
        language = page.get_by_role("combobox", name="Language", exact=True)
        expect(language).to_have_value("es")
        expect(page.get_by_text("This voice is longer than the picture")).to_be_visible()
        expect_usable(page)
        page.locator("summary", has_text="More options").click()
        page.get_by_text("Sound and length", exact=True).click()
        page.get_by_label("If the lengths differ").select_option("hold")
        expect(page.get_by_text("This voice is longer than the picture")).to_have_count(0)


def test_on_a_phone_nothing_is_too_wide_or_too_small(started: Browser, studio: Studio) -> None:
    with window(started, 360, 740, "dark", has_touch=True, is_mobile=True) as page:
        page.goto(studio.address)
        expect_room(page)
        add_video(page, studio)
        add_speech(page, studio)
        page.get_by_text("More options").tap()
        page.get_by_text("The mouth", exact=True).tap()
        expect(page.get_by_label("Articulation")).to_be_visible()
        expect_room(page)
        expect_usable(page)
        done = studio.get("/v1/jobs?kind=dub&state=done&limit=1").json()["items"][0]["id"]
        page.goto(f"{studio.address}/#/jobs/{done}")
        expect(page.locator(".compare video.output")).to_be_visible()
        expect_room(page)
        page.goto(f"{studio.address}/#/jobs")
        expect(page.locator(".jobs li").first).to_be_visible()
        expect_room(page)
        expect_usable(page)


def reach(page: Page, name: str, most: int = 60) -> None:
    """Go on by the tab key until what has the focus is called so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "(() => { const e = document.activeElement; return (e.getAttribute('aria-label') ?? "
            "(e.labels?.[0] ?? e).textContent).trim(); })()"
        )
        if name in found and page.evaluate("document.activeElement.tabIndex") == 0:
            ring = page.evaluate(
                "(() => { const e = document.activeElement; return [e, e.closest('label')].some("
                "(each) => each && getComputedStyle(each).outlineStyle === 'solid'); })()"
            )
            assert ring, f"the focus on {name} is not seen"
            return
    raise AssertionError(f"{name} is not reached by the keyboard")


def test_all_is_done_by_the_keyboard_alone(started: Browser, studio: Studio) -> None:
    with window(started) as page:
        # Choosers are caught from the first listener on, but not at once.
        page.on("filechooser", lambda _: None)
        page.goto(studio.address)
        expect(page.locator(".drop")).to_be_visible()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        reach(page, "Choose a file")
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Enter")
        chooser.value.set_files(studio.video)
        expect(page.locator(".who")).to_have_count(2)
        reach(page, "Automatic")
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("radio", name="Person 1")).to_be_checked()
        reach(page, "End of the part")
        page.keyboard.press("Shift+ArrowLeft")
        expect(page.get_by_label("To (s)")).not_to_have_value("1.60")
        reach(page, "Voice tracks")
        page.keyboard.press("ArrowRight")
        reach(page, "What the face is to say")
        page.keyboard.type("Hello there.")
        reach(page, "Standard")
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_role("radio", name="Fast")).to_be_checked()
        reach(page, "Make the video")
        expect(page.locator("#go-words")).not_to_contain_text("Type")


def test_a_recording_is_a_file_like_any_other(started: Browser, studio: Studio) -> None:
    with window(started, permissions=["camera", "microphone"]) as page:
        page.goto(studio.address)
        page.get_by_role("button", name="Record with the camera").click()
        page.get_by_role("button", name="Start recording").click()
        expect(page.locator(".record .digits")).to_contain_text("0:01")
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Use it")).to_be_focused()
        expect_usable(page)
        page.get_by_role("button", name="Record again").click()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_upload_goes_on_where_it_stopped(
    started: Browser, studio: Studio, tmp_path: Path
) -> None:
    large = tmp_path / "large.mp4"
    large.write_bytes(
        studio.video.read_bytes() + struct.pack(">I4s", 9 << 20, b"free") + bytes((9 << 20) - 8)
    )
    with window(started) as page:
        page.goto(studio.address)
        sent: list[int] = []

        def held(route, request) -> None:  # type: ignore[no-untyped-def]
            if request.method == "PATCH":
                sent.append(int(request.headers["upload-offset"]))
                if len(sent) == 2:
                    return None  # for ever on its way
            return route.continue_()

        page.route("**/v1/uploads/**", held)
        page.locator(".drop input[type=file]").set_input_files(large)
        expect(page.locator(".upload progress")).to_be_visible()
        while len(sent) < 2:
            page.wait_for_timeout(20)
        page.unroute("**/v1/uploads/**")
        page.reload()
        expect(page.get_by_text("was interrupted")).to_be_visible()
        expect_usable(page)
        page.route("**/v1/uploads/**", held)
        page.locator(".drop input[type=file]").set_input_files(large)
        expect(page.locator(".screen video")).to_be_visible()
        assert sent[0] == 0 and sent[2] > 0


def test_a_token_opens_the_door(started: Browser, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _LABIAL, "token", "add", "ann", "--data", str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    token = re.search(r"lab_\S+", told)
    assert token
    with (
        serving(tmp_path, tmp_path / "log.txt") as address,
        window(started, spared="401") as page,
    ):
        page.goto(address)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.get_by_label("Token")).to_be_focused()
        page.keyboard.type("lab_wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_text("not known here")).to_be_visible()
        expect_usable(page)
        page.get_by_label("Token").fill(token[0])
        page.keyboard.press("Enter")
        expect(page.locator(".drop")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
