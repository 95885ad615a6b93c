"""The command `lianyi`."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Errors are one line with what to do next."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except Exception as problem:  # the edge of the process: our errors become one line with advice, others stay loud
        advice = getattr(problem, "advice", None)
        if advice is None:
            raise
        print(f"lianyi: {problem}\n  {advice}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lianyi", description="The platform on which a medical alliance works as one hospital."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")
    serve = verbs.add_parser("serve", help="run every process of this machine, or one role")
    serve.add_argument("role", nargs="?", choices=("web", "worker", "dicom", "mllp"))
    _listen(serve)
    serve.set_defaults(run=_serve)
    demo = verbs.add_parser("demo", help="walk a whole consultation on this machine, then serve it")
    demo.add_argument("--exit", action="store_true", dest="stop", help="stop after the walk")
    demo.add_argument("--json", type=Path, metavar="FILE", help="write the proofs")
    demo.add_argument("--folder", type=Path, default=Path("build/demo"), help="where its data lies (wiped first)")
    demo.set_defaults(run=_demo)
    lint = verbs.add_parser("lint", help="check models, decisions and forms; files named together are one bundle")
    lint.add_argument("files", nargs="+", type=Path)
    lint.add_argument("--json", action="store_true", help="one JSON array of findings")
    lint.set_defaults(run=_lint)
    decide = verbs.add_parser("decide", help="apply a decision table to JSON input; prints the result")
    decide.add_argument("file", type=Path)
    decide.add_argument("input", help="JSON object, or - for standard input")
    decide.add_argument("--decision", help="which decision of the file")
    decide.set_defaults(run=_decide)
    user = verbs.add_parser("user", help="add an account, set a password, list accounts")
    user.add_argument("act", choices=("add", "password", "list"))
    user.add_argument("login", nargs="?")
    user.add_argument("--name", default="")
    user.add_argument("--hospital", help="hospital code")
    user.add_argument("--role", action="append", default=[])
    user.add_argument("--password-stdin", action="store_true")
    user.set_defaults(run=_user)
    verbs.add_parser("config", help="print the settings, secrets masked").set_defaults(run=_config)
    certs = verbs.add_parser("certs", help="make a certificate of the platform's own authority")
    certs.add_argument("names", nargs="+", metavar="HOST", help="host name or address the certificate is for")
    certs.add_argument("--name", default="server", help="what the files are called: NAME.pem and NAME.key (server)")
    certs.add_argument("--out", type=Path, metavar="FOLDER", help="where they go (LIANYI_DATA/certs)")
    certs.add_argument("--force", action="store_true", help="replace files that are there")
    certs.set_defaults(run=_certs)
    verbs.add_parser("migrate", help="bring the database and the packaged models up to date").set_defaults(run=_migrate)
    audit = verbs.add_parser("audit", help="verify the history")
    audit.add_argument("act", choices=("verify",))
    audit.set_defaults(run=_audit)
    return parser


def _listen(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--web-port", type=int, default=8080)
    parser.add_argument("--dicom-port", type=int, default=11112)
    parser.add_argument("--mllp-port", type=int, default=2575)
    parser.add_argument("--cert", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--client-ca", type=Path, help="DICOM and HL7 peers must show a certificate of this authority")


def _serve(options: argparse.Namespace) -> int:
    from webui import serve
    from webui.config import Config

    config = Config.from_environ()
    listen = serve.Listen(
        options.host,
        options.web_port,
        options.dicom_port,
        options.mllp_port,
        options.cert,
        options.key,
        options.client_ca,
    )
    if options.role:
        return serve.serve(options.role, config, listen)
    return serve.supervise(config, listen, _environment(), lambda text: print(text, flush=True)).run()


def _environment() -> dict[str, str]:
    return dict(os.environ)  # handed on to the processes as it is; settings are read by webui.config alone


def _demo(options: argparse.Namespace) -> int:
    from webui.demo import run

    return run(options.folder, stop=options.stop, proofs=options.json, environment=_environment())


def _lint(options: argparse.Namespace) -> int:
    from tasks import catalogue

    findings = catalogue.findings({path.name: path.read_bytes() for path in options.files})
    if options.json:
        print(json.dumps(findings, ensure_ascii=False, indent=1))
    else:
        for f in findings:
            print(f"{f['file']}:{f['line']} {f['severity']} {f['rule']} {f['element']}: {f['message']} {f['advice']}")
        print(f"{len(findings)} findings" if findings else "accepted")
    return int(any(f["severity"] == "error" for f in findings))


def _decide(options: argparse.Namespace) -> int:
    from engine.dmn import decide_file
    from webui.config import timezone

    text = sys.stdin.read() if options.input == "-" else options.input
    try:
        given = json.loads(text)
    except ValueError as problem:
        print(f"lianyi: the input is not JSON ({problem})", file=sys.stderr)
        return 2
    now = datetime.now(timezone())
    print(json.dumps(decide_file(options.file.read_bytes(), options.decision, given, now=now), ensure_ascii=False))
    return 0


def _user(options: argparse.Namespace) -> int:
    from webui import bootstrap
    from webui.config import Config

    house = bootstrap.build(Config.from_environ())
    people = house.services.people
    with house.db.read() as session:
        rows = people.list_accounts(session)
        hospital = people.hospital_by_code(session, options.hospital) if options.hospital else None
    if options.act == "list":
        for account, roles in rows:
            print(f"{account.login_name:16} {account.name}  {', '.join(roles)}")
        return 0
    if not options.login:
        print("lianyi: name the login", file=sys.stderr)
        return 2
    password = sys.stdin.readline().strip() if options.password_stdin else _asked()
    if password is None:
        print("lianyi: the two passwords differ", file=sys.stderr)
        return 1
    if options.act == "password":
        found = next((account for account, _ in rows if account.login_name == options.login), None)
        if found is None:
            print(f"lianyi: no account {options.login}", file=sys.stderr)
            return 1
        people.set_password(found.id, password, actor="command line")
        print(f"{options.login} has a new password, every login of it has ended")
        return 0
    if hospital is None and not rows and "platform_admin" in options.role:
        bootstrap.first_administrator(house.config, options.login, password)
        print(f"{options.login} is the platform's administrator")
        return 0
    if hospital is None:
        print("lianyi: name an existing hospital with --hospital CODE", file=sys.stderr)
        return 2
    people.create_account(
        options.login, options.name or options.login, hospital.id, options.role, password=password, actor="command line"
    )
    print(f"{options.login} works at {hospital.name} as {', '.join(options.role)}")
    return 0


def _asked() -> str | None:
    """The password, typed twice; None when the two differ."""
    first = getpass.getpass("password: ")
    return first if getpass.getpass("once more: ") == first else None


def _config(_: argparse.Namespace) -> int:
    from dataclasses import fields

    from webui.config import Config

    config = Config.from_environ()
    for field in fields(config):
        value = str(getattr(config, field.name))
        secret = field.name in ("secret_key",) or "@" in value
        print(f"LIANYI_{field.name.upper()}={'***' if secret and value else value}")
    return 0


def _certs(options: argparse.Namespace) -> int:
    from webui import certs
    from webui.config import Config

    folder = Config.from_environ().data / "certs"
    first = not (folder / "ca.pem").exists()
    certificate, key, authority = certs.issue(
        folder, options.names, name=options.name, out=options.out, force=options.force
    )
    print(
        f"certificate {certificate}  (for {', '.join(options.names)}, {certs.SERVER_DAYS} days)\n"
        f"key         {key}  (keep it secret)\n"
        f"authority   {authority}  ({'new' if first else 'the same as before'})\n"
        "next: on this machine start `lianyi serve --host ADDRESS --cert CERTIFICATE --key KEY`, and give the authority to the browsers;\n"
        "      for a peer hand over certificate, key and authority, and start ours with `--client-ca AUTHORITY` too."
    )
    return 0


def _migrate(_: argparse.Namespace) -> int:
    from webui import bootstrap
    from webui.config import Config

    for line in bootstrap.migrate(Config.from_environ()):
        print(line)
    return 0


def _audit(_: argparse.Namespace) -> int:
    from engine import history
    from webui import bootstrap
    from webui.config import Config

    house = bootstrap.build(Config.from_environ())
    with house.db.read() as session:
        breaks, heads = history.verify(session), history.heads(session)
    for found in breaks:
        print(f"broken: {found}")
    for hospital, length, last in heads:
        print(f"{hospital}  {length} entries, last {last}")
    print("history unchanged" if not breaks else f"{len(breaks)} breaks")
    return int(bool(breaks))


if __name__ == "__main__":
    sys.exit(main())
