"""A small server that speaks vLLM's protocol over a real model: it loads LoRA folders, streams and scores with them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web


class FakeVllm:
    """Serves a model folder from inside the test's process.

    Attributes:
        forgets_in_sleep: lose the weights of every adapter in a sleep, as seen in the field; a load brings them back.
        wrong_weights: answer for every adapter with the base model, as a server does that lost one.
        log: method and path of every request, with the adapter for loads and unloads.
    """

    def __init__(self, folder: Path, name: str = "base") -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415  seconds to import

        self.name = name
        self.wrong_weights = False
        self.forgets_in_sleep = False
        self.is_asleep = False
        self.log: list[tuple[str, str]] = []
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder).eval()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.adapters: dict[str, str] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """The server's address while it runs."""
        runner = web.AppRunner(self.build_app())
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    def build_app(self) -> web.Application:
        """All its routes."""
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/load_lora_adapter", self._load)
        app.router.add_post("/v1/unload_lora_adapter", self._unload)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/completions", self._score)
        app.router.add_post("/tokenize", self._tokenize)
        app.router.add_post("/sleep", self._sleep)
        app.router.add_post("/wake_up", self._wake_up)
        app.router.add_get("/is_sleeping", self._is_sleeping)
        return app

    async def _models(self, request: web.Request) -> web.Response:
        loaded = [{"id": name, "root": folder} for name, folder in self.adapters.items()]
        return web.json_response({"data": [{"id": self.name}, *loaded]})

    async def _load(self, request: web.Request) -> web.Response:
        body = await request.json()
        name, folder = body["lora_name"], body["lora_path"]
        if not (Path(folder) / "adapter_model.safetensors").exists():
            return web.Response(status=400, text="no adapter there")
        from peft import PeftModel  # noqa: PLC0415  seconds to import

        if isinstance(self._model, PeftModel):
            self._model.load_adapter(folder, name)
        else:
            self._model = PeftModel.from_pretrained(self._model, folder, adapter_name=name).eval()
        self.adapters[name] = folder
        self.wrong_weights = self.wrong_weights and not self.forgets_in_sleep
        self.log.append(("load", name))
        return web.Response(text=f"Success: LoRA adapter {name!r} added successfully.")

    async def _unload(self, request: web.Request) -> web.Response:
        name = (await request.json())["lora_name"]
        del self.adapters[name]
        self.log.append(("unload", name))
        return web.Response(text="Success")

    async def _sleep(self, request: web.Request) -> web.Response:
        assert (request.query["level"], request.query["mode"]) == ("1", "wait")
        self.is_asleep = True
        self.log.append(("sleep", ""))
        return web.json_response({"status": "sleeping", "level": 1})

    async def _wake_up(self, _: web.Request) -> web.Response:
        self.is_asleep = False
        self.wrong_weights = self.wrong_weights or self.forgets_in_sleep
        self.log.append(("wake", ""))
        return web.json_response({"status": "awake", "tags": None})

    async def _is_sleeping(self, _: web.Request) -> web.Response:
        return web.json_response({"is_sleeping": self.is_asleep})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        assert not self.is_asleep, "a sleeping server lets requests wait until it is woken"
        self.log.append(("chat", body["model"]))
        if body["model"] not in [self.name, *self.adapters]:
            return web.json_response(
                {"error": {"message": f"The model `{body['model']}` does not exist.", "code": 404}}, status=404
            )
        if body.get("logprobs"):
            return self._tell_next(body)
        text = self._generate(body["model"], body["messages"], min(body["max_tokens"], 8))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for choice in ({"delta": {"content": text}}, {"delta": {}, "finish_reason": "stop"}):
            await response.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    def _tell_next(self, body: dict[str, Any]) -> web.Response:
        import torch  # noqa: PLC0415  seconds to import

        ids = self._apply_template(body["messages"])
        with self._using(body["model"]), torch.inference_mode():
            row = torch.log_softmax(self._model(input_ids=torch.tensor([ids])).logits[0, -1], dim=-1)
        likeliest = row.topk(body["top_logprobs"])
        pairs = zip(likeliest.indices.tolist(), likeliest.values.tolist(), strict=True)
        top = [{"token": self._tokenizer.decode([token]), "logprob": logprob} for token, logprob in pairs]
        return web.json_response({"choices": [{"logprobs": {"content": [{**top[0], "top_logprobs": top}]}}]})

    async def _tokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        flags = {name: body[name] for name in ("add_generation_prompt", "continue_final_message")}
        ids = list(self._tokenizer.apply_chat_template(body["messages"], return_dict=True, **flags)["input_ids"])
        return web.json_response({"count": len(ids), "max_model_len": 4096, "tokens": ids})

    async def _score(self, request: web.Request) -> web.Response:
        import torch  # noqa: PLC0415  seconds to import

        body = await request.json()
        self.log.append(("score", body["model"]))
        ids = body["prompt"]
        with self._using(body["model"]), torch.inference_mode():
            rows = torch.log_softmax(self._model(input_ids=torch.tensor([ids])).logits[0], dim=-1)
        scores = [float(rows[at - 1, ids[at]]) for at in range(1, len(ids))]
        entries = [{str(token): {"logprob": score}} for token, score in zip(ids[1:], scores, strict=True)]
        return web.json_response({"choices": [{"text": "", "prompt_logprobs": [None, *entries]}]})

    def _generate(self, name: str, messages: list[dict[str, str]], count: int) -> str:
        import torch  # noqa: PLC0415  seconds to import

        ids = self._apply_template(messages)
        with self._using(name), torch.inference_mode():
            for _ in range(count):
                ids.append(int(self._model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
        return self._tokenizer.decode(ids[-count:], skip_special_tokens=True)

    def _apply_template(self, messages: list[dict[str, str]]) -> list[int]:
        prompt = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)
        return list(prompt["input_ids"])

    def _using(self, name: str) -> Any:
        from contextlib import nullcontext  # noqa: PLC0415  beside its only use

        if name in self.adapters and not self.wrong_weights:
            self._model.set_adapter(name)
            return nullcontext()
        return self._model.disable_adapter() if self.adapters else nullcontext()
