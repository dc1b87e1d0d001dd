"""A chat bot for Slack's slash commands: `/link /pricing` is answered with a minted link to that page.

The link is made for the chat user who asked, so what grows from it comes back with that user as `external_id`:
in resolution, exports, webhooks and attribution. Run it behind https, and give its address to the slash command:

    GRAPEVINE_URL=https://share.example.com GRAPEVINE_KEY=… SLACK_SIGNING_SECRET=… \\
        python chat_bot.py https://www.example.com 8080
"""

import hashlib
import hmac
import html
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urljoin

from grapevine.client import ApiError, Client, ClientError, Retries

MOST_BYTES = 16_384
OLDEST_SECONDS = 300  # an older message may have been recorded and sent again
AT_ONCE = Retries(attempts=1, patience=2.5)  # Slack waits three seconds


def is_from_slack(secret: str, timestamp: str, body: bytes, signature: str, now: float) -> bool:
    """Whether Slack signed the message: https://docs.slack.dev/authentication/verifying-requests-from-slack."""
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > OLDEST_SECONDS:
        return False
    expected = hmac.new(secret.encode(), b"v0:%s:%s" % (timestamp.encode(), body), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={expected}".encode(), signature.encode())


def link_for(client: Client, page: str, person: str) -> str:
    """Returns the person's own link to a page: the one that they were given before, else a new one."""
    for link in client.links.list(external_id=person):
        if link.page == page:
            return link.url
    return client.links.create(page, channel="slack", external_id=person).url


class Bot(BaseHTTPRequestHandler):
    """Answers the slash command. The class attributes are set when the program starts."""

    client: Client
    secret: str
    site_url: str
    timeout = 10

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        body = self.rfile.read(int(length)) if length.isdecimal() and int(length) <= MOST_BYTES else b""
        timestamp, signature = (self.headers.get(f"X-Slack-{name}", "") for name in ("Request-Timestamp", "Signature"))
        if not is_from_slack(self.secret, timestamp, body, signature, time.time()):
            self.send_error(401, "Not signed by Slack")
            return
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        page = urljoin(self.site_url, form.get("text", "").strip())
        try:
            text = link_for(self.client, page, f"slack:{form['team_id']}:{form['user_id']}")
        except ApiError as error:
            text = f"No link: {error.detail}"  # such as a page that is not the site's
        except ClientError:
            text = "The links are not available right now. Please try again later."
        answer = json.dumps({"response_type": "ephemeral", "text": html.escape(text, quote=False)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


if __name__ == "__main__":
    Bot.site_url, Bot.secret, Bot.client = sys.argv[1], os.environ["SLACK_SIGNING_SECRET"], Client(retries=AT_ONCE)
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Bot).serve_forever()
