"""``grapevine secret rotate`` and ``accept``: which secret keys sign, and which the database is used with."""

from __future__ import annotations

from argparse import Namespace

from grapevine.cli.arguments import Commands
from grapevine.cli.context import CommandContext
from grapevine.config.secret_keys import key_file, with_secret_keys
from grapevine.keyring.derivation import fingerprint
from grapevine.keyring.keyring import KeyRing, signing_order


def register(commands: Commands) -> None:
    """Adds the command ``secret`` and its own commands to the parser."""
    group = commands.group("secret", "replace the key that signs, or accept other keys")
    parser = group.add(
        "rotate",
        rotate,
        "sign with a new secret key; old links stay valid",
        examples=("grapevine secret rotate", "grapevine secret rotate --start-over"),
        more="In two steps: every running process accepts the new key before any signs with it. With the file "
        "secret-keys one call does both, without a restart. With GRAPEVINE_SECRET_KEYS the first call prints the new "
        "list; restart every process with it, and run this again.",
    )
    parser.add_argument(
        "--start-over", action="store_true", help="forget a key that was printed and lost before anybody used it"
    )
    group.add(
        "accept",
        accept,
        "use the database with the secret keys that are set now",
        examples=("grapevine secret accept",),
        more="Links that were signed with another key are refused from then on. A key that is new signs only after "
        "`grapevine secret rotate`, unless the one that signed is gone.",
    )


async def rotate(context: CommandContext, arguments: Namespace) -> int:
    """Makes a new key sign, or prints it for the processes that need it first. Returns the exit status."""
    from grapevine.keyring.rotation import PATIENCE_SECONDS, sign_with, waiting_key
    from grapevine.webhooks.sealed_secrets import seal_all

    await context.require_database(context.settings())
    in_settings = bool(context.settings().secret_keys)
    async with context.store_and_keys(make=True) as (store, settings):
        file = None if in_settings else key_file(settings)
        new = await waiting_key(store, settings.secret_keys, file, context.clock, start_over=arguments.start_over)
        name = fingerprint(new.secret_key)
        if new.made and in_settings:
            printed = ",".join(key.decode() for key in new.secret_keys)
            if arguments.json:
                context.say_json({"key": name, "signs": False, "secret_keys": printed})
            else:
                context.say(f"GRAPEVINE_SECRET_KEYS={printed}")
                context.complain(
                    f"the last key, {name}, is new and does not sign yet: restart every process with this list, then "
                    "run `grapevine secret rotate` again, with it, too"
                )
            return 0
        if not arguments.json and await store.fingerprints.processes(context.now()):
            context.say(f"The key {name} is accepted; it signs as soon as every running process accepts it.")
        await sign_with(store.fingerprints, new.secret_key, context.clock, 0 if in_settings else PATIENCE_SECONDS)
        ring = KeyRing(signing_order(new.secret_keys, await store.fingerprints.known()))
        lost = await seal_all(store.webhooks, ring)
    if arguments.json:
        context.say_json({"key": name, "signs": True})
    else:
        context.say(f"The key {name} signs from now on. Links that were signed with the older keys stay valid.")
    _complain_of_lost(context, lost)
    return 0


async def accept(context: CommandContext, arguments: Namespace) -> int:
    """Makes the database take the keys of the settings. Returns the exit status."""
    from grapevine.keyring import rotation
    from grapevine.webhooks.sealed_secrets import seal_all

    await context.require_database(context.settings())
    settings = with_secret_keys(context.settings())
    async with context.store(settings, make=True) as store:
        known = await rotation.accept(store.fingerprints, settings.secret_keys, context.now())
        lost = await seal_all(store.webhooks, KeyRing(signing_order(settings.secret_keys, known)))
    signs, waiting = known[-1].fingerprint, [key.fingerprint for key in known if key.rotation is None]
    if arguments.json:
        context.say_json({"keys": [key.fingerprint for key in known], "signs": signs, "waiting": waiting})
    else:
        context.say(f"The database is used with {', '.join(key.fingerprint for key in known)}; {signs} signs.")
        for name in waiting:
            context.say(f"{name} waits: `grapevine secret rotate` makes it sign.")
    _complain_of_lost(context, lost)
    return 0


def _complain_of_lost(context: CommandContext, lost: list[str]) -> None:
    if lost:
        context.complain(
            f"the secrets of these webhooks are encrypted under a key that is gone, so they send nothing: "
            f"{', '.join(lost)}; delete and add them again"
        )
