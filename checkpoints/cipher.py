"""Encryption at rest: AES-256-GCM with key ids, and keyed hashes for what must be found again but not read."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
import secrets
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from checkpoints.database import Database, storage_errors
from checkpoints.errors import StorageUnusable, WrongKey

NAME = "aes256gcm"
NONCE = 12  # bytes; NIST SP 800-38D
SHORTEST_PHRASE = 16  # characters of a key given as words
_CHECK = b"holdfast"


class Cipher:
    """Encrypts with the first key, decrypts with any. LangGraph's CipherProtocol, and `seal`/`open` for the rest."""

    def __init__(
        self,
        keys: dict[str, bytes],
        *,
        reread: Callable[[], dict[str, bytes]] | None = None,
    ) -> None:
        """
        Args:
            keys: 32-byte keys by id; the first one encrypts.
            reread: where the keys stand, asked again when an unknown id turns up: another process has rotated them.
        """
        self._reread = reread
        self._hold(keys)
        self._hash_key = _derived(keys[self.key_ids[-1]], b"hash")

    def _hold(self, keys: dict[str, bytes]) -> None:
        self.key_ids = tuple(keys)  #: the first one encrypts
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}

    def reread(self) -> None:
        """Take the keys as they stand now where they are kept."""
        if self._reread is not None:
            self._hold(self._reread())

    def hash_with(self, key: bytes) -> None:
        """The database's own key for keyed hashes, which outlives every encryption key."""
        self._hash_key = key

    @property
    def name(self) -> str:
        """What is encrypted now is marked with: the cipher and the id of the key."""
        return f"{NAME}:{self.key_ids[0]}"

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        """Cipher name with key id, and nonce + ciphertext."""
        nonce = secrets.token_bytes(NONCE)
        sealed = self._ciphers[self.key_ids[0]].encrypt(nonce, plaintext, None)
        return self.name, nonce + sealed

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        """Raises WrongKey."""
        name, _, key_id = ciphername.partition(":")
        if name == NAME and key_id not in self._ciphers:
            self.reread()
        cipher = self._ciphers.get(key_id) if name == NAME else None
        if cipher is None:
            raise WrongKey
        try:
            return cipher.decrypt(ciphertext[:NONCE], ciphertext[NONCE:], None)
        except (InvalidTag, ValueError):  # ValueError: too short to be a nonce
            raise WrongKey from None

    def seal(self, plaintext: bytes) -> bytes:
        """Self-describing ciphertext: name, a zero byte, nonce and ciphertext."""
        name, ciphertext = self.encrypt(plaintext)
        return name.encode() + b"\0" + ciphertext

    def open(self, sealed: bytes) -> bytes:
        """Raises WrongKey."""
        name, _, ciphertext = sealed.partition(b"\0")
        return self.decrypt(name.decode("ascii", "replace"), ciphertext)

    def keyed_hash(self, value: str) -> str:
        """HMAC-SHA256, hex: the same for the same value and key, and of no use without the key."""
        return hmac.new(self._hash_key, value.encode(), sha256).hexdigest()


def load_cipher(home: Path, configured: str | None) -> Cipher:
    """The configured keys, else those of the key file in `home`, made at first use.

    Args:
        configured: one key, or several as `key,key` or `id:key,id:key`; the first encrypts. A key is 32 bytes in
            base64 or hex, or a phrase.

    Raises:
        StorageUnusable: a key is too short, or the file cannot be read.
    """
    if configured:
        return Cipher(_parsed(configured))
    file = key_file(home)
    return Cipher(_read(file), reread=lambda: _read(file))


def key_file(home: Path) -> Path:
    return home / "keys" / "encryption.key"


def add_key(home: Path) -> None:
    """A new key in front of those in the key file. The old ones stay: other processes still write with them."""
    file = key_file(home)
    keys = [_new_key(), *_lines(file)]
    temporary = _written(file, "\n".join(keys))
    temporary.replace(file)


def _parsed(text: str) -> dict[str, bytes]:
    """Keys by id. One without a name is called by its fingerprint, so that their order can change."""
    keys: dict[str, bytes] = {}
    for part in re.split(r"[,\n]", text):
        named = re.fullmatch(r"\s*([A-Za-z0-9_-]{1,20}):(.+)", part)
        key = _key((named[2] if named else part).strip())
        keys[named[1] if named else _fingerprint(key)] = key
    return keys


def _fingerprint(key: bytes) -> str:
    return _derived(key, b"fingerprint").hex()[:8]


def _key(text: str) -> bytes:
    for decode in (bytes.fromhex, _base64):
        try:
            key = decode(text)
        except (ValueError, binascii.Error):
            continue
        if len(key) == 32:
            return key
    if len(text) < SHORTEST_PHRASE:
        msg = "HOLDFAST_ENCRYPTION_KEY is too short: give 32 bytes in base64 (openssl rand -base64 32)"
        raise StorageUnusable(msg)
    return _derived(text.encode(), b"phrase")


def _base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"holdfast " + purpose).derive(key)


def _read(file: Path) -> dict[str, bytes]:
    """Made at first use: two processes that start together agree on the one that was there first."""
    try:
        if not file.exists():
            _make(file)
    except OSError:
        msg = f"the key file {file} cannot be made: set HOLDFAST_HOME to a folder of yours, or HOLDFAST_ENCRYPTION_KEY"
        raise StorageUnusable(msg) from None
    try:
        return _parsed("\n".join(_lines(file)))
    except StorageUnusable:
        msg = f"the key file {file} cannot be read, or holds no key: put back what was in it"
        raise StorageUnusable(msg) from None


def _make(file: Path) -> None:
    temporary = _written(file, _new_key())
    try:
        os.link(temporary, file)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8").split()
    except (OSError, UnicodeDecodeError):
        msg = f"the key file {file} cannot be read"
        raise StorageUnusable(msg) from None


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _written(file: Path, text: str) -> Path:
    """A file beside it that only its owner can read."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = file.with_name(f".{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
    return temporary


async def check_key(database: Database, cipher: Cipher) -> None:
    """Is this the key the database was made with? The first process to ask settles it, and the key for hashes.

    Raises:
        WrongKey: it is not; no call has been touched.
    """
    async with storage_errors(), database.connection() as connection:
        await connection.execute(
            "INSERT INTO key_check (sealed) VALUES (%s) ON CONFLICT DO NOTHING",
            (cipher.seal(_CHECK + secrets.token_bytes(32)),),
        )
        cursor = await connection.execute("SELECT sealed FROM key_check")
        row = await cursor.fetchone()
    opened = cipher.open(bytes(row["sealed"])) if row else b""
    if not opened.startswith(_CHECK):
        raise WrongKey
    cipher.hash_with(opened.removeprefix(_CHECK))
