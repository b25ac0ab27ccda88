"""Encryption at rest: AES-256-GCM with key ids, and keyed hashes for what must be found again but not read."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
import secrets
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

    def __init__(self, keys: dict[str, bytes]) -> None:
        """
        Args:
            keys: 32-byte keys by id; the first one encrypts.
        """
        self._ids = tuple(keys)
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._hash_keys = {key_id: _derived(key, b"hash") for key_id, key in keys.items()}

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        """Cipher name with key id, and nonce + ciphertext."""
        key_id, nonce = self._ids[0], secrets.token_bytes(NONCE)
        return f"{NAME}:{key_id}", nonce + self._ciphers[key_id].encrypt(nonce, plaintext, None)

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        """Raises WrongKey."""
        name, _, key_id = ciphername.partition(":")
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
        """HMAC-SHA256, hex: the same for the same value and key, and of no use without the key.

        The oldest key hashes, so that adding a new one in front does not orphan what is already stored.
        """
        return hmac.new(self._hash_keys[self._ids[-1]], value.encode(), sha256).hexdigest()


def load_cipher(home: Path, configured: str | None) -> Cipher:
    """The configured keys, else the key file in `home`, made at first use.

    Args:
        configured: one key, or several as `id:key,id:key`. A key is 32 bytes in base64 or hex, or a phrase.

    Raises:
        StorageUnusable: a key is too short, or the file cannot be read.
    """
    if configured:
        return Cipher(_configured(configured))
    return Cipher({"k1": _key_file(home / "keys" / "encryption.key")})


def _configured(text: str) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for number, part in enumerate(text.split(","), start=1):
        named = re.fullmatch(r"\s*([A-Za-z0-9_-]{1,20}):(.+)", part)
        key_id, key = (named[1], named[2]) if named else (f"k{number}", part)
        keys[key_id] = _key(key.strip())
    return keys


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


def _key_file(file: Path) -> bytes:
    """The key in the file, which is made when there is none."""
    try:
        if not file.exists():
            _make_key_file(file)
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        msg = f"the key file {file} cannot be made or read: set HOLDFAST_HOME, or HOLDFAST_ENCRYPTION_KEY"
        raise StorageUnusable(msg) from None
    try:
        return _key(text)
    except StorageUnusable:
        msg = f"the key file {file} holds no key: put the key back that was in it"
        raise StorageUnusable(msg) from None


def _make_key_file(file: Path) -> None:
    """Made once: two processes that start together agree on the one that was there first."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = file.with_name(f".{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(base64.b64encode(secrets.token_bytes(32)).decode())
    try:
        os.link(temporary, file)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


async def check_key(database: Database, cipher: Cipher) -> None:
    """Is this the key the database was made with? The first process to ask settles it.

    Raises:
        WrongKey: it is not; no call has been touched.
    """
    async with storage_errors(), database.connection() as connection:
        await connection.execute(
            "INSERT INTO key_check (sealed) VALUES (%s) ON CONFLICT DO NOTHING",
            (cipher.seal(_CHECK),),
        )
        cursor = await connection.execute("SELECT sealed FROM key_check")
        row = await cursor.fetchone()
    if row is None or cipher.open(bytes(row["sealed"])) != _CHECK:
        raise WrongKey
