"""What vLLM loads in each of its processes (entry point `vllm.general_plugins`): faster adapters on a CPU."""

from typing import Any

WRAPPER = "core.cpu_lora.GroupedLora"


def register() -> None:
    """Let vLLM's CPU platform take our LoRA arithmetic; on other platforms nothing changes. Safe to call again."""
    from vllm.platforms import current_platform  # noqa: PLC0415

    if current_platform.is_cpu():
        platform: Any = type(current_platform)
        platform.get_punica_wrapper = classmethod(lambda cls: WRAPPER)
