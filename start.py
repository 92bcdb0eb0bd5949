"""Sets up this checkout with nothing but Python, then runs it.

    python3 start.py demo      the whole job on a made-up company
    python3 start.py test      the tests
    python3 start.py ...       any other command of collector, such as: python3 start.py status

Packages go into .venv, in the versions that requirements*.lock pins by hash. Nothing outside this folder is
changed. Works without pip and without the venv package that Debian keeps apart.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NEEDED = (3, 11)
HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = str(VENV / "bin" / "python")


def main():
    """Sets up, then becomes the command."""
    if sys.version_info < NEEDED:
        use_newer_python()
    words = sys.argv[1:] or ["--help"]
    test = words[0] == "test"
    try:
        set_up("requirements-dev.lock" if test else "requirements.lock")
    except subprocess.CalledProcessError as error:
        sys.exit(f"start.py: {' '.join(map(str, error.cmd[:4]))} ... failed; see above")
    if test:
        os.chdir(HERE)
        command = [PYTHON, "-m", "pytest", *words[1:]]
    else:
        command = [PYTHON, "-m", "collector", *words]
    os.execv(PYTHON, command)  # noqa: S606 - nothing is left to do here


def use_newer_python():
    """Starts again with a newer Python, if there is one on PATH."""
    for minor in range(19, NEEDED[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            os.execv(found, [found, __file__, *sys.argv[1:]])  # noqa: S606
    sys.exit(
        f"start.py: needs Python 3.11 or newer, this is {sys.version.split()[0]}; install one and try again"
    )


def set_up(lock):
    """Makes .venv as the lock file says, unless it is so already."""
    stamp = VENV / f"{lock}.installed"
    wanted = digest(lock, "pyproject.toml", "collector/__init__.py")
    if stamp.exists() and stamp.read_text() == wanted:
        return
    install = installer()
    print(f"start.py: installing what {lock} pins into .venv (once; a minute or so)", file=sys.stderr)  # noqa: T201
    # The lock is whole: looked up again, a dependency with an extra counts as another one, without a hash.
    run([*install, "--no-deps", "--require-hashes", "-r", str(HERE / lock)])
    run([*install, "--no-deps", "-e", str(HERE)])
    stamp.write_text(wanted)


def digest(*names):
    """What the files hold, as one number."""
    return hashlib.sha256(b"".join((HERE / name).read_bytes() for name in names)).hexdigest()


def installer():
    """The command that installs into .venv, by whatever this machine has."""
    if works([PYTHON, "-m", "pip", "--version"]):
        return pip([PYTHON, "-m", "pip"])
    if works([sys.executable, "-c", "import ensurepip"]):
        run([sys.executable, "-m", "venv", "--clear", str(VENV)])
        return pip([PYTHON, "-m", "pip"])
    run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)])
    if works([sys.executable, "-m", "pip", "--version"]):
        return pip([sys.executable, "-m", "pip", "--python", PYTHON])
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", PYTHON]
    return pip([PYTHON, f"{debian_pip_wheel()}/pip"])


def debian_pip_wheel():
    """pip's own wheel out of Debian's package, unpacked into .venv: a wheel runs without being installed."""
    if not shutil.which("apt-get"):
        sys.exit("start.py: this Python has neither ensurepip nor pip; install one of them and try again")
    with tempfile.TemporaryDirectory() as folder:
        try:
            if not works(["apt-get", "download", "python3-pip-whl"], cwd=folder):
                works(["apt-get", "update", "-qq"])
                run(["apt-get", "download", "python3-pip-whl"], cwd=folder)
            run(["dpkg-deb", "-x", str(next(Path(folder).glob("*.deb"))), folder])
            wheel = next(Path(folder).glob("usr/share/python-wheels/pip-*.whl"))
        except (subprocess.CalledProcessError, StopIteration):
            sys.exit(
                "start.py: Debian keeps venv in a package of its own; as root: apt-get install python3-venv"
            )
        return shutil.copy(wheel, VENV)


def pip(command):
    """pip's install command, quiet about everything but errors."""
    return [*command, "install", "--quiet", "--disable-pip-version-check", "--no-input"]


def run(command, **how):
    """Runs a command that must succeed."""
    subprocess.run(command, check=True, **how)


def works(command, **how):
    """Whether a command succeeds; what it prints is thrown away."""
    try:
        return subprocess.run(command, capture_output=True, check=False, **how).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    main()
