"""LangGraph Studio: the real development server, over the REST API that Studio itself uses."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from psycopg import sql

from graph.build import build
from services import open_services
from tests.company import KEY, NOW, Clock, company_services, settings_for
from tests.conversations.played import Played

ROOT = Path(__file__).parents[2]
START_SECONDS, STOP_SECONDS, RUN_SECONDS = 120, 30, 60
OMAR, OMARS_ZIP = "+15035550188", "nine seven three oh one"
ANN, ANNS_ZIP = "+15035550199", "nine seven four oh one"
HUGO = "+33199001234"
CHANGED_ADDRESS = [
    "hi i moved and i need to change my address",
    OMARS_ZIP,
    "it's {code}",
    "fifty main street apartment four b",
    "portland",
    "the zip is nine seven two oh five",
    "yes that's right",
]
READ_BACK = len(CHANGED_ADDRESS)  #: the turn that ends with it; the first one greets
DONE_ALREADY = "That was already done, so I haven't done it twice. "
GOODBYE = ["no that's all thanks", "five"]

pytestmark = pytest.mark.slow


@dataclass
class Server:
    """`make studio` on a port of its own, in a folder of its own."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text("utf-8", "replace")


@contextmanager
def started(folder: Path, **environment: str) -> Iterator[Server]:
    """The command of the Makefile, run until the test is over; stopped as Ctrl-C does."""
    port = free_port()
    command = [f"--config {ROOT / 'langgraph.json'}", f"--port {port}"]
    given = {**clean_environment(), **environment}
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            ["sh", "-c", "exec env " + recipe(" ".join(command))],
            cwd=folder,
            env=given,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(f"http://127.0.0.1:{port}", folder, process)
    try:
        wait_until_ready(server)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def recipe(arguments: str) -> str:
    """What `make studio` would run, without bringing its environment up to date."""
    make = ["make", "--no-print-directory", "-n", "-o", f"{ROOT}/.venv-studio/.ready", "studio"]
    variables = [f"STUDIO={ROOT}/.venv-studio", f"ARGS={arguments}"]
    printed = subprocess.run(
        [*make, *variables], cwd=ROOT, env=clean_environment(), capture_output=True, check=True
    )
    return printed.stdout.decode().replace("\\\n", " ").strip()


def clean_environment() -> dict[str, str]:
    """Ours, without what a make above us, or a developer's own settings, would change."""
    ours = ("MAKE", "MFLAGS", "HOLDFAST_", "DATABASE_URL", "LANGSMITH", "LANGGRAPH", "LANGCHAIN")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_ready(server: Server) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert server.process.poll() is None, server.output
        try:
            if httpx.get(f"{server.url}/ok", timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"not ready after {START_SECONDS} s: {server.output}")


class Studio:
    """What Studio asks the server for."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str) -> Any:
        return self._read(await self.client.get(path))

    async def post(self, path: str, **body: Any) -> Any:
        return self._read(await self.client.post(path, json=body))

    async def new_thread(self) -> str:
        return str((await self.post("/threads"))["thread_id"])

    async def run(self, thread: str, caller: dict[str, Any], **options: Any) -> Any:
        """The state after a run with this turn of the caller's."""
        body = {"assistant_id": "holdfast", "input": {"caller": caller}, **options}
        state = await self.post(f"/threads/{thread}/runs/wait", **body)
        assert "__error__" not in state, state
        return state

    async def history(self, thread: str) -> list[dict[str, Any]]:
        """Oldest first."""
        return list(reversed(await self.post(f"/threads/{thread}/history", limit=1000)))

    async def ends_of_turns(self, thread: str) -> dict[int, str]:
        """Checkpoint ids of a call as it was recorded, by turn."""
        return {
            one["values"]["turn"]: one["checkpoint"]["checkpoint_id"]
            for one in await self.history(thread)
            if "seconds_back" not in one["metadata"]
        }

    @staticmethod
    def _read(response: httpx.Response) -> Any:
        assert response.is_success, (
            f"{response.request.url}: {response.status_code} {response.text}"
        )
        return response.json() if response.content else None


@pytest.fixture(scope="module")
def server(
    shared_copy: str, model_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One server for the tests that change nothing: that is what they test."""
    environment = environment_of(shared_copy, model_home)
    with started(tmp_path_factory.mktemp("studio"), **environment) as server:
        yield server


def environment_of(dsn: str, home: Path) -> dict[str, str]:
    return {"DATABASE_URL": dsn, "HOLDFAST_HOME": str(home), "HOLDFAST_ENCRYPTION_KEY": KEY}


@pytest.fixture
async def studio(server: Server) -> AsyncIterator[Studio]:
    async with httpx.AsyncClient(base_url=server.url, timeout=RUN_SECONDS) as client:
        yield Studio(client)


@dataclass(frozen=True)
class MadeCall:
    """A call as it was made on the line: its id, and all that was said, turn by turn."""

    call_id: str
    caller: list[str]
    line: list[str]


@pytest.fixture(scope="module")
def call_on_the_line(shared_copy: str, model_home: Path) -> MadeCall:
    return asyncio.run(make_call(shared_copy, model_home))


@pytest.fixture
async def made(call_on_the_line: MadeCall, studio: Studio) -> MadeCall:
    """The call as Studio opens it for the first time: without the replays of other tests."""
    (await studio.client.delete(f"/threads/{call_on_the_line.call_id}")).raise_for_status()
    return call_on_the_line


async def make_call(dsn: str, home: Path) -> MadeCall:
    """A caller changes the address and says goodbye; later the company learns of another one.

    Replays read what is on file now: were it still the address of the call, there would be nothing to change in it.
    """
    async with company_services(dsn, home, Clock(NOW)) as services:
        played = Played(services)
        customers = services.company.customers
        (omar,) = await customers.find_by_phone(OMAR)
        call = await services.answer(OMAR, None)
        line = [(await call.begin()).say]
        caller = [""]
        for words in CHANGED_ADDRESS + GOODBYE:
            caller.append(words.replace("{code}", played.code))
            reply = await played._heard(call, await call.hear(caller[-1]))
            line.append(reply.say)
        assert (played.done, reply.outcome) == (["update_address"], "solved")
        await customers.update_address(omar.customer_id, omar.address)
        return MadeCall(str(call.record.call_id), caller, line)


def dumped(dsn: str) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        return {
            f"{schema}.{name}": [
                row[0]
                for row in connection.execute(
                    sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(
                        sql.Identifier(schema, name)
                    )
                )
            ]
            for schema, name in tables
        }


async def test_studio_draws_every_node_and_edge(studio: Studio) -> None:
    drawing = await studio.get("/assistants/holdfast/graph")
    drawn = build().compile().get_graph()
    assert {node["id"] for node in drawing["nodes"]} == set(drawn.nodes)
    assert len(drawn.nodes) == 11 + 2
    assert {(edge["source"], edge["target"]) for edge in drawing["edges"]} == {
        (edge.source, edge.target) for edge in drawn.edges
    }


async def test_a_run_is_asked_for_with_a_form(studio: Studio) -> None:
    (assistant,) = await studio.post("/assistants/search")
    schemas = await studio.get(f"/assistants/{assistant['assistant_id']}/schemas")
    assert all(schemas.values())
    form = schemas["input_schema"]
    assert form["properties"] == {"caller": {"$ref": "#/$defs/CallerTurn"}}
    assert {"kind", "words", "heard", "language", "stayed"} == set(
        form["$defs"]["CallerTurn"]["properties"]
    )
    assert set(schemas["context_schema"]["properties"]) == {"from", "language", "now"}
    assert "case" in schemas["state_schema"]["properties"]


async def test_a_call_is_begun_in_studio_and_every_node_is_seen(
    studio: Studio, shared_copy: str
) -> None:
    before = dumped(shared_copy)
    thread = await studio.new_thread()
    greeted = await studio.run(thread, {"kind": "begin"})
    assert "Juniper and Oak" in greeted["said"]["text"]
    asked = await studio.run(thread, {"say": "where is my order"})
    assert asked["asks"] == "identity.account"
    assert asked["case"]["history"][-1]["said"] == asked["said"]["text"]
    steps = await studio.history(thread)
    entered = [one["next"][0] for one in steps if one["next"] and one["values"].get("turn")]
    assert entered[-5:] == ["understand", "repair", "identity", "repair", "say"]
    assert dumped(shared_copy) == before


async def test_a_call_in_studio_comes_in_from_a_number(studio: Studio) -> None:
    thread = await studio.new_thread()
    camille = {"from": "+33639981204", "now": "2026-11-24T09:00:00+01:00"}
    greeted = await studio.run(thread, {"kind": "begin"}, context=camille)
    assert greeted["language"] == "fr"
    assert greeted["case"]["zone"] == "Europe/Paris"
    asked = await studio.run(thread, {"say": "où est ma commande"}, context=camille)
    assert asked["asks"] == "identity.fact"
    assert "33639981204" not in json.dumps(
        [one["metadata"] for one in await studio.history(thread)]
    )


async def test_a_call_made_on_the_line_opens_by_its_id_with_its_state_decrypted(
    studio: Studio, made: MadeCall, shared_copy: str
) -> None:
    before = dumped(shared_copy)
    state = await studio.get(f"/threads/{made.call_id}/state")
    assert state["values"]["case"]["history"][-1]["said"] == made.line[-1]
    assert [
        one["values"]["said"]["text"] for one in await studio.history(made.call_id)
    ] == made.line
    listed = await studio.post("/threads/search", limit=100)
    assert made.call_id in {thread["thread_id"] for thread in listed}
    assert dumped(shared_copy) == before
    assert "fifty main street" not in json.dumps(before)  # in the database nobody can read it


async def test_a_replay_in_the_callers_words_goes_as_the_call_went_and_changes_no_row(
    studio: Studio, made: MadeCall, shared_copy: str
) -> None:
    before = dumped(shared_copy)
    ends = await studio.ends_of_turns(made.call_id)
    assert list(ends) == list(range(1, len(made.line) + 1))
    options: dict[str, Any] = {"checkpoint_id": ends[1]}
    for words, said in list(zip(made.caller, made.line, strict=True))[1:]:
        state = await studio.run(made.call_id, {"say": words}, **options)
        assert state["said"]["text"].removeprefix(DONE_ALREADY) == said
        options = {}
    assert (state["verified"], state["outcome"]) == (2, "solved")
    assert dumped(shared_copy) == before


async def test_a_yes_replayed_at_the_read_back_answers_from_the_record_and_changes_no_row(
    studio: Studio, made: MadeCall, shared_copy: str
) -> None:
    before = dumped(shared_copy)
    ends = await studio.ends_of_turns(made.call_id)
    state = await studio.run(made.call_id, {"say": "yes"}, checkpoint_id=ends[READ_BACK])
    assert state["said"]["text"] == DONE_ALREADY + made.line[READ_BACK]
    assert state["said"]["did"] == []
    assert dumped(shared_copy) == before
    replayed = await studio.get(f"/threads/{made.call_id}/state")
    assert replayed["values"]["case"]["history"][-1]["words"] == "yes"
    assert replayed["metadata"]["seconds_back"] > 0


async def test_a_write_that_was_not_done_in_the_call_is_refused_in_its_replay(
    studio: Studio, made: MadeCall, shared_copy: str
) -> None:
    before = dumped(shared_copy)
    ends = await studio.ends_of_turns(made.call_id)
    options: dict[str, Any] = {"checkpoint_id": ends[READ_BACK]}
    corrected = await studio.run(made.call_id, {"say": "no, sixty main street"}, **options)
    assert corrected["asks"] == "account.confirm"
    assert "60 Main Street" in corrected["said"]["text"]
    refused = await studio.run(made.call_id, {"say": "yes that's right"})
    assert refused["said"]["did"] == []
    assert "Nothing was changed" in refused["said"]["text"]
    assert dumped(shared_copy) == before


async def test_a_guess_at_an_identity_is_not_counted_in_a_replay(
    studio: Studio, made: MadeCall, shared_copy: str
) -> None:
    before = dumped(shared_copy)
    ends = await studio.ends_of_turns(made.call_id)
    state = await studio.run(made.call_id, {"say": "12345"}, checkpoint_id=ends[2])
    assert state["verified"] == 0
    assert dumped(shared_copy) == before


async def test_deleting_a_thread_forgets_its_replays_and_nothing_of_the_call(
    studio: Studio, made: MadeCall, shared_copy: str
) -> None:
    before = dumped(shared_copy)
    ends = await studio.ends_of_turns(made.call_id)
    await studio.run(made.call_id, {"say": "no"}, checkpoint_id=ends[READ_BACK])
    assert (await studio.client.delete(f"/threads/{made.call_id}")).is_success
    assert [
        one["values"]["said"]["text"] for one in await studio.history(made.call_id)
    ] == made.line
    assert dumped(shared_copy) == before


async def test_a_state_edited_in_studio_stays_in_studio(
    studio: Studio, made: MadeCall, shared_copy: str
) -> None:
    before = dumped(shared_copy)
    edit = {"values": {"language": "fr"}, "as_node": "say"}
    await studio.post(f"/threads/{made.call_id}/state", **edit)
    state = await studio.run(made.call_id, {"say": "merci beaucoup"})
    assert state["language"] == "fr"
    assert dumped(shared_copy) == before


async def test_what_was_said_is_neither_on_disk_nor_in_the_log(
    studio: Studio, server: Server
) -> None:
    secret = f"secret {uuid4().hex}"
    thread = await studio.new_thread()
    await studio.run(thread, {"say": secret})
    body = {"assistant_id": "holdfast", "input": {"caller": {"sya": secret}}}
    failed = await studio.post(f"/threads/{thread}/runs/wait", **body)
    assert "sya" in failed["__error__"]["message"]  # whoever asked is told
    assert secret not in server.output
    kept = server.folder / ".langgraph_api"
    assert list(kept.glob("*")) == []


async def test_a_page_that_is_not_studios_gets_nothing(studio: Studio) -> None:
    rebound = await studio.client.get(f"/threads/{uuid4()}/state", headers={"host": "evil.example"})
    assert rebound.status_code == 400
    for origin, allowed in (("https://smith.langchain.com", True), ("https://evil.example", False)):
        answer = await studio.client.post("/threads/search", json={}, headers={"origin": origin})
        assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
        assert answer.headers.get("access-control-allow-origin") != "*"


@pytest.fixture(scope="module")
def writing_server(
    shared_copy: str, model_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    environment = {**environment_of(shared_copy, model_home), "HOLDFAST_STUDIO__WRITES": "true"}
    with started(tmp_path_factory.mktemp("writing"), **environment) as server:
        yield server


@pytest.fixture
async def writing_studio(writing_server: Server) -> AsyncIterator[Studio]:
    async with httpx.AsyncClient(base_url=writing_server.url, timeout=RUN_SECONDS) as client:
        yield Studio(client)


async def test_with_writes_on_a_call_begun_in_studio_changes_what_it_changes(
    writing_studio: Studio, writing_server: Server, shared_copy: str, model_home: Path
) -> None:
    thread = await writing_studio.new_thread()
    await writing_studio.run(thread, {"kind": "begin"}, context={"from": ANN})
    for words in CHANGED_ADDRESS:
        code = re.search(r"\b(\d{6})\b", writing_server.output.partition('"channel"')[2])
        spoken = words.replace("{code}", code[1] if code else "").replace(OMARS_ZIP, ANNS_ZIP)
        state = await writing_studio.run(thread, {"say": spoken}, context={"from": ANN})
    assert state["said"]["did"] == ["update_address"]
    await writing_studio.client.delete(f"/threads/{thread}")  # a call is not deleted here
    async with company_services(shared_copy, model_home, Clock(NOW)) as services:
        (ann,) = await services.company.customers.find_by_phone(ANN)
        assert ann.address.line1 == "50 Main Street"
        record = await services.register.find(UUID(thread))
        assert record is not None
        assert (record.state, record.turns, record.verified) == ("interrupted", 8, 2)
        assert await services.done_in(record.call_id) == ("update_address",)
    rows = dumped(shared_copy)["public.checkpoints"]
    assert any(thread in row for row in rows)
    assert not any(ANN in row for row in rows)


async def test_with_writes_on_a_dropped_call_goes_on_in_studio_but_not_while_a_caller_is_on_the_line(
    writing_studio: Studio, shared_copy: str, model_home: Path
) -> None:
    settings = settings_for(shared_copy, model_home)
    async with open_services(settings, demo=False) as services:
        call = await services.answer(HUGO, None)
        await call.begin()
        await call.hear("où est ma commande")
        call_id = str(call.record.call_id)
        body = {"assistant_id": "holdfast", "input": {"caller": {"say": "69003"}}}
        refused = await writing_studio.post(f"/threads/{call_id}/runs/wait", **body)
        assert refused["__error__"]["error"] == "LeaseLost"
        await call.drop()
        state = await writing_studio.run(call_id, {"say": "69003"})
        assert (state["verified"], state["language"], state["turn"]) == (1, "fr", 3)
        record = await services.register.find(call.record.call_id)
        assert record is not None
        assert (record.state, record.turns, record.verified) == ("interrupted", 3, 1)
        resumed = await services.answer(HUGO, None)
        assert resumed.record.call_id == call.record.call_id
        await resumed.drop()


def test_the_embedded_database_is_shared_with_a_call_and_stops_with_the_last(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with started(tmp_path, HOLDFAST_HOME=str(home)) as server:
        caller = {"say": "what are your opening hours"}
        finished = subprocess.run(
            [f"{ROOT}/.venv/bin/holdfast", "call", "--json"],
            input=json.dumps(caller).encode(),
            cwd=tmp_path,
            env={**clean_environment(), "HOLDFAST_HOME": str(home)},
            capture_output=True,
            check=True,
        )
        replies = [json.loads(line) for line in finished.stdout.splitlines()]
        state = httpx.get(f"{server.url}/threads/{replies[0]['call']}/state").json()
        assert state["values"]["said"]["text"] == replies[-1]["say"]
        assert (home / "postgres" / "postmaster.pid").exists()
    assert not (home / "postgres" / "postmaster.pid").exists()
