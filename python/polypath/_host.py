"""Hosts: applications on top of multipath heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ._devices import BytesLike, Controller, Namespace, NamespaceLike, Time, _Named, ns_operand
from ._errors import InputError
from ._results import Io, Workload

if TYPE_CHECKING:
    from typing_extensions import Buffer

class Host(_Named):
    """A host with a driver for each of its controllers and a multipath head for each namespace.

    Requests return at once with an `Io`; `lab.run_until(io)` waits for its end.
    """

    __slots__ = ()

    @property
    def paths(self) -> list[Controller]:
        """Its controllers, in the order of probing."""
        names = next(paths for id, _, paths in self._lab._core.hosts() if id == self.id)
        return [Controller(self._lab, name) for name in names]

    def _request(self, kind: str, ns: NamespaceLike, operands: dict[str, object]) -> Io:
        operands |= {"host": self.id, "ns": ns_operand(ns)}
        return Io(self._lab, self._lab._step(kind, operands, nowait=True))

    def _block_size(self, ns: NamespaceLike) -> int:
        if isinstance(ns, Namespace):
            return ns.block_size
        return self._lab._core.block_bytes(ns, self.paths[0].id)

    def _padded(self, kind: str, ns: NamespaceLike, data: BytesLike) -> tuple[bytes, int]:
        try:
            view = memoryview(cast("Buffer", data))
        except TypeError:
            raise InputError(
                f"{kind}(data=): is {type(data).__name__}; give bytes, or a buffer such as a NumPy array",
                f"{kind}(data=)",
            ) from None
        size = self._block_size(ns)
        blocks = -(-view.nbytes // size)
        if blocks == 0:
            raise InputError(f"{kind}(data=): is empty; give at least one byte", f"{kind}(data=)")
        return view.tobytes().ljust(blocks * size, b"\0"), blocks

    def write(
        self,
        ns: NamespaceLike,
        lba: int = 0,
        data: BytesLike | None = None,
        *,
        blocks: int | None = None,
        tag: str | None = None,
    ) -> Io:
        """Writes from logical block `lba`: `data` (any buffer, zeros up to whole blocks; 1 MiB at most), or
        `blocks` blocks with the content of `tag`."""
        operands: dict[str, object] = {"lba": lba, "tag": tag, "blocks": blocks}
        if data is not None:
            if blocks is not None or tag is not None:
                raise InputError("write(data=): goes without blocks= and tag=; leave them out", "write(data=)")
            operands["data"], operands["blocks"] = self._padded("write", ns, data)
        return self._request("write", ns, operands)

    def read(self, ns: NamespaceLike, lba: int = 0, blocks: int = 1, *, equals: str | None = None) -> Io:
        """Reads `blocks` logical blocks from `lba`. `equals`: a finding, unless it is the content of that tag."""
        return self._request("read", ns, {"lba": lba, "blocks": blocks, "equals": equals})

    def compare(self, ns: NamespaceLike, lba: int, data: BytesLike) -> Io:
        """Compares blocks with `data`; the errno is ENODATA when they differ, as on Linux."""
        payload, blocks = self._padded("compare", ns, data)
        return self._request("compare", ns, {"lba": lba, "blocks": blocks, "data": payload})

    def write_zeroes(self, ns: NamespaceLike, lba: int = 0, blocks: int = 1) -> Io:
        """Writes zeroes without sending them."""
        return self._request("write_zeroes", ns, {"lba": lba, "blocks": blocks})

    def flush(self, ns: NamespaceLike) -> Io:
        """Flushes the namespace."""
        return self._request("flush", ns, {})

    def workload(
        self,
        ns: NamespaceLike,
        *,
        rate: int = 1000,
        duration: Time = "1s",
        depth: int = 4,
        blocks: int = 8,
        lba: int = 0,
        length: int | None = None,
        read_percent: int = 50,
        seed: int = 0,
    ) -> Workload:
        """A load beside the script: `rate` requests per second of `blocks` blocks for `duration`, at most `depth` in
        flight, in `length` blocks from `lba` (left out: to the end of the namespace)."""
        operands: dict[str, object] = {
            "host": self.id,
            "ns": ns_operand(ns),
            "rate": rate,
            "duration": duration,
            "depth": depth,
            "blocks": blocks,
            "lba": lba,
            "length": length,
            "read_percent": read_percent,
            "seed": seed,
        }
        return Workload(self._lab, self._lab._step("workload", operands))

    def set_policy(self, policy: str) -> None:
        """Path policy of all its heads: "numa" or "round-robin"."""
        self._lab._step("policy", {"host": self.id, "policy": policy})

    def list_text(self) -> str:
        """The tables that `nvme list -v` prints on this host now."""
        ids = [id for id, _, _ in self._lab._core.hosts()]
        return self._lab._core.list_text(ids.index(self.id))
