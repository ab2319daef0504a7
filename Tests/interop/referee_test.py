"""The referee finds every planted violation, and none in what is right."""

import json
import unittest

from referee import Referee

JSON = [("content-type", "application/json"), ("accept", "application/json, text/event-stream")]
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "a", "version": "1"},
}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "a", "version": "1"},
}
SCHEMA = {"properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
ASKED = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}


def without(headers, name):
    return [(key, value) for key, value in headers if key != name]


class Legacy(unittest.TestCase):
    """One session of revision 2025-11-25."""

    def setUp(self):
        self.referee = Referee(authority="h:1")
        self.session = [*JSON, ("host", "h:1")]
        self.post({"id": 0, "method": "initialize", "params": HELLO}, HELLO, session="s")
        self.session += [("mcp-session-id", "s"), ("mcp-protocol-version", "2025-11-25")]

    def post(self, message, result=None, headers=None, session=None):
        given = self.session if headers is None else headers
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        exchange = self.referee.request("POST", given, body)
        self.referee.head(exchange, 200, [("mcp-session-id", session)] if session else [])
        if result is not None:
            self.referee.said(exchange, {"jsonrpc": "2.0", "id": message["id"], "result": result})
        return exchange

    def ready(self):
        self.post({"method": "notifications/initialized"})

    def send(self, verb, *more):
        return self.referee.request(verb, [*self.session, *more], b"")

    def end(self):
        self.send("DELETE")
        return self.referee.finish()

    def found(self, part, count=1):
        violations = self.end()
        self.assertEqual(len(violations), count, violations)
        self.assertIn(part, violations[0])

    def test_nothing_wrong(self):
        self.ready()
        own = self.send("GET")
        self.post({"id": 1, "method": "tools/list"}, {"tools": [], "nextCursor": "c"})
        self.post({"id": "1", "method": "tools/list", "params": {"cursor": "c"}}, {"tools": []})
        self.referee.event_id(own, "7")
        self.referee.closed(own)
        self.send("GET", ("last-event-id", "7"))
        self.assertEqual(self.end(), [])

    def test_headers(self):
        self.ready()
        for name, part in [
            ("mcp-session-id", "no session id"),
            ("mcp-protocol-version", "MCP-Protocol-Version None"),
            ("content-type", "Content-Type None"),
            ("accept", "Accept None"),
            ("host", "Host None"),
        ]:
            self.post({"id": name, "method": "ping"}, headers=without(self.session, name))
            self.assertIn(part, self.referee.violations.pop())
        for extra, part in [
            (("mcp-session-id", "s"), "is there twice"),
            (("origin", "http://evil"), "Origin"),
            (("authorization", "Bearer stolen"), "a credential"),
        ]:
            self.post({"id": part, "method": "ping"}, headers=[*self.session, extra])
            self.assertIn(part, self.referee.violations.pop())
        self.assertEqual(self.end(), [])

    def test_other_session(self):
        self.ready()
        wrong = [*without(self.session, "mcp-session-id"), ("mcp-session-id", "x")]
        self.post({"id": 1, "method": "ping"}, headers=wrong)
        self.found("was never given")

    def test_initialize_again_with_session(self):
        self.ready()
        self.post({"id": 1, "method": "initialize", "params": HELLO})
        self.found("with a session id", 2)

    def test_before_initialized(self):
        self.post({"id": 1, "method": "tools/list"})
        self.ready()
        self.found("before notifications/initialized")

    def test_never_initialized(self):
        self.found("no notifications/initialized")

    def test_id_again(self):
        self.ready()
        self.post({"id": 0, "method": "ping"})
        self.found("used before")

    def test_bad_ids(self):
        self.ready()
        for bad in (None, True, 1.5):
            self.post({"id": bad, "method": "ping"})
        self.found("neither a string nor an integer", 3)

    def test_cursor(self):
        self.ready()
        self.post({"id": 1, "method": "tools/list"}, {"nextCursor": "c"})
        self.post({"id": 2, "method": "prompts/list", "params": {"cursor": "c"}})
        self.found("was never given for prompts/list")

    def test_progress_token_in_use(self):
        self.ready()
        params = {"_meta": {"progressToken": 5}}
        self.post({"id": 1, "method": "tools/call", "params": params})
        self.post({"id": 2, "method": "tools/call", "params": params})
        self.found("is in use")

    def task(self, status):
        self.ready()
        given = {"task": {"taskId": "t", "status": "working"}}
        self.post({"id": 1, "method": "tools/call"}, given)
        about = {"params": {"taskId": "t"}}
        self.post({"id": 2, "method": "tasks/get", **about}, {"status": status})
        self.post({"id": 3, "method": "tasks/get", **about}, {"status": status})

    def test_task(self):
        self.task("working")
        self.assertEqual(self.end(), [])

    def test_task_that_is_over(self):
        self.task("completed")
        self.found("asks for a task that is completed")

    def test_task_of_nobody(self):
        self.ready()
        self.post({"id": 1, "method": "tasks/result", "params": {"taskId": "t"}})
        self.found("was never given in this session")

    def test_event_id(self):
        self.ready()
        self.send("GET", ("last-event-id", "7"))
        self.found("was never sent")

    def test_second_stream(self):
        self.ready()
        self.send("GET")
        self.send("GET")
        self.found("a second stream")

    def test_cancels_nothing(self):
        self.ready()
        self.post({"method": "notifications/cancelled", "params": {"requestId": "0"}})
        self.found("was never sent")

    def test_after_delete(self):
        self.ready()
        self.send("DELETE")
        self.post({"id": 1, "method": "ping"})
        self.found("was deleted", 2)

    def ask(self):
        self.ready()
        exchange = self.post({"id": 1, "method": "tools/call"})
        params = {"requestedSchema": ASKED}
        message = {"id": 9, "method": "elicitation/create", "params": params}
        self.referee.said(exchange, message)

    def test_question_not_answered(self):
        self.ask()
        self.found("was not answered")

    def test_answers(self):
        for result, part in [
            ({"action": "accept", "content": {"n": "1"}}, "does not fit"),
            ({"action": "accept", "content": {}}, "n is missing"),
            ({"action": "accept", "content": {"n": 1, "x": 1}}, "was not asked for"),
            ({"action": "accept"}, "accept with content None"),
            ({"action": "yes"}, "action 'yes'"),
        ]:
            self.setUp()
            self.ask()
            self.post({"id": 9, "result": result})
            self.found(part)

    def test_answered_twice(self):
        self.ask()
        for _ in range(2):
            self.post({"id": 9, "result": {"action": "decline"}})
        self.found("not asked, or twice")


class Modern(unittest.TestCase):
    """Revision 2026-07-28."""

    def setUp(self):
        self.referee = Referee(stateful=False)
        self.post(1, "tools/list", {}, {"tools": [{"name": "t", "inputSchema": SCHEMA}]})

    def post(self, rpc_id, method, params, result=None, meta=META, **headers):
        given = {"mcp-protocol-version": "2026-07-28", "mcp-method": method}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        pairs = [*JSON, *[(key, value) for key, value in given.items() if value is not None]]
        message = {"jsonrpc": "2.0", "method": method, "params": {**params, "_meta": meta}}
        if rpc_id is not None:
            message["id"] = rpc_id
        exchange = self.referee.request("POST", pairs, json.dumps(message).encode())
        if result is not None:
            self.referee.said(exchange, {"jsonrpc": "2.0", "id": rpc_id, "result": result})

    def found(self, *parts):
        violations = self.referee.finish()
        self.assertEqual(len(violations), len(parts), violations)
        for part, violation in zip(parts, violations):
            self.assertIn(part, violation)

    def call(self, value, header, **more):
        params = {"name": "t", "arguments": {} if value is None else {"region": value}, **more}
        self.post(2, "tools/call", params, mcp_name="t", mcp_param_region=header)

    def test_right_headers(self):
        for value, header in [
            ("us", "us"),
            ("zürich", "=?base64?esO8cmljaA==?="),
            (" a", "=?base64?IGE=?="),
            ("", ""),
            (None, None),
        ]:
            self.call(value, header)
        self.found()

    def test_wrong_headers(self):
        for value, header, part in [
            ("us", None, "no Mcp-Param-Region"),
            ("us", "eu", "says 'eu'"),
            (" a", " a", "wants base64"),
            (None, "us", "is not there"),
            ("us", "=?base64?!?=", "no base64"),
        ]:
            self.setUp()
            self.call(value, header)
            self.found(part)

    def test_metadata(self):
        for meta, headers, part in [
            ({**META, "io.modelcontextprotocol/clientCapabilities": None}, {}, "capabilities"),
            ({**META, "io.modelcontextprotocol/clientInfo": {}}, {}, "client info"),
            (META, {"mcp_protocol_version": "2026-07-29"}, "_meta '2026-07-28'"),
            (META, {"mcp_method": "tools/call"}, "Mcp-Method"),
            (META, {"mcp_session_id": "s"}, "without sessions"),
            (META, {"mcp_name": "x"}, "Mcp-Name 'x'"),
            (META, {"mcp_param_more": "x"}, "no schema asks for"),
        ]:
            self.setUp()
            self.post(2, "prompts/list", {}, meta=meta, **headers)
            self.found(part)

    def test_gone_methods_and_verbs(self):
        self.post(2, "ping", {})
        self.referee.request("GET", [*JSON, ("mcp-protocol-version", "2026-07-28")], b"")
        self.found("does not have", "GET in a revision without sessions")

    def question(self, **content):
        result = {"resultType": "input_required", **content}
        self.post(2, "tools/call", {"name": "t"}, result, mcp_name="t")

    def again(self, rpc_id=3, name="t", **more):
        self.post(rpc_id, "tools/call", {"name": name, **more}, mcp_name=name)

    def test_state(self):
        self.question(requestState="S")
        self.again(requestState="S")
        self.found()

    def test_state_changed(self):
        self.question(requestState="S")
        self.again(requestState="S ")
        self.found("was never given", "was not answered")

    def test_state_of_another_call(self):
        self.question(requestState="S")
        self.again(name="u", requestState="S")
        self.found("requestState of tools/call")

    def test_state_with_the_same_id(self):
        self.question(requestState="S")
        self.again(2, requestState="S")
        self.found("has the id of the one before")

    def test_invented(self):
        self.again(requestState="S")
        self.found("was never given")

    def test_answers_to_nothing(self):
        self.again(inputResponses={"k": {"action": "decline"}})
        self.found("without a question")

    def test_other_keys(self):
        asked = {"method": "elicitation/create", "params": {"requestedSchema": ASKED}}
        self.question(requestState="S", inputRequests={"k": asked})
        self.again(requestState="S", inputResponses={"x": {"action": "decline"}})
        self.found("answers ['x']")


if __name__ == "__main__":
    unittest.main()
