"""An SMTP server that keeps what it is sent, for ci/mail: STARTTLS and a login, or nothing is taken.

lib.mail.py PORT CERTIFICATE KEY USER PASSWORD DIRECTORY: each letter is a file of DIRECTORY, N.to and N.eml. An address that
begins with "gone" is refused for good, and while DIRECTORY/busy is there every letter is put off.
"""

import os
import signal
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


class Keeper:
    def __init__(self, directory):
        self.directory = directory
        self.count = sum(name.endswith(".eml") for name in os.listdir(directory))

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if os.path.exists(os.path.join(self.directory, "busy")):
            return "451 try again later"
        self.count += 1
        name = os.path.join(self.directory, str(self.count))
        with open(name + ".to", "w") as file:
            file.write(" ".join(envelope.rcpt_tos) + "\n")
        with open(name + ".part", "wb") as file:
            file.write(envelope.original_content)
        os.rename(name + ".part", name + ".eml")
        return "250 kept"


def main():
    port, certificate, key, user, password, directory = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def login(server, session, envelope, mechanism, data):
        known = LoginPassword(user.encode(), password.encode())
        is_right = isinstance(data, LoginPassword) and data == known
        return AuthResult(success=is_right, handled=False)

    controller = Controller(
        Keeper(directory), hostname="127.0.0.1", port=int(port), tls_context=context, require_starttls=True,
        authenticator=login, auth_required=True, auth_require_tls=True)
    controller.start()
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    over.wait()
    controller.stop()


main()
