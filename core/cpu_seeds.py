"""Seeds in vLLM's CPU build: a prompt that is computed in pieces does not end the server.

vLLM 0.32 draws a token after every piece of a prompt and takes all draws but the last back by the generator's offset. A
CPU's generator has none, so the engine dies of the first request with a seed whose prompt does not fit the batch. Here
such a generator begins again: no token of its answer has been drawn yet. This module is imported by vLLM's processes
only.
"""

from typing import Any

import numpy as np
from vllm.v1.worker.cpu_worker import CPUWorker


class SeededWorker(CPUWorker):
    """vLLM's worker for a CPU, given to it by `--worker-cls`."""

    def init_device(self) -> None:
        """As vLLM does it; then its runner's draws are taken back in a way that a CPU knows."""
        vllm: Any = super()
        vllm.init_device()
        runner: Any = self.model_runner
        finish_batch = runner._bookkeeping_sync

        def finish_batch_with_seeds(*args: Any, **kwargs: Any) -> Any:
            generators: dict[int, Any] = runner.input_batch.generators
            unfinished = np.flatnonzero(runner.discard_request_mask.np[: runner.input_batch.num_reqs])
            set_aside = {place: generators.pop(place) for place in unfinished.tolist() if place in generators}
            for generator in set_aside.values():
                generator.manual_seed(generator.initial_seed())
            try:
                return finish_batch(*args, **kwargs)
            finally:
                generators.update(set_aside)

        runner._bookkeeping_sync = finish_batch_with_seeds
