"""Everything that an exam run asks: items, golden questions, judges and needles, each answer kept as it comes."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.exam import Examiner
from bot.golden import GoldenQuestion, is_right
from bot.golden_questions import Judged
from bot.prompt import fit, to_messages
from bot.side_by_side import take_answers
from cli.exam import RIGHT
from cli.exam_journal import Journal, hash_value
from cli.house import House
from core.model_server import Sampling
from core.prompt import Language, Message, PromptExample, PromptPassage
from core.wording import is_refusal
from learning.exams.agreement import Word
from learning.exams.bertscore import measure_bertscore
from learning.exams.four_choice import Choice
from learning.exams.geval import Criterion, NoStepsError, Rubric, compare, grade, write_rubric
from learning.exams.grader import ServerGrader
from learning.exams.open_question import build_question
from learning.exams.results import LANGUAGES, Answers, OpenAnswer
from learning.exams.sitting import By, Help, Item, ask, list_orders
from learning.judges import Asked, Verdict

Row = Mapping[str, Any]
Job = tuple[str, Callable[[], Awaitable[Row]]]

# Tokens that a four-choice question has beside its own words, and a judge's question beside passages, at most.
OPTION_TOKENS, JUDGE_TOKENS = 500, 1200
# Of G-Eval's points in [0, 1]: from the scale's middle on an answer counts as right, where people say right or wrong.
RIGHT_GRADE = 0.5
RULE = "accepted texts"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask.

    Attributes:
        helps: the ways, the one that others are held against first.
        examples: questions with answers that `few_shot` shows before golden ones, by language.
        judged: answers that people found right or wrong, for judges to say too.
        judge: name of the served model that judges; None is the base model.
    """

    helps: Sequence[Help]
    items: Sequence[Item]
    golden: Sequence[GoldenQuestion]
    by: Sequence[By]
    examples: Mapping[Language, Sequence[PromptExample]]
    criteria: Sequence[Criterion] = ()
    judged: Sequence[Judged] = ()
    judge: str | None = None

    @property
    def count(self) -> int:
        """How much there is to ask, rubrics not counted."""
        orders = sum(len(list_orders(item, by)) for item in self.items for by in self.by)
        graded = len(self.helps) + max(0, len(self.helps) - 1)
        judging = len(self.criteria) * (graded * len(self.golden) + len(self.judged))
        return len(self.helps) * (orders + len(self.golden)) + judging


class Sitting:
    """Asks what a plan holds, and takes from the journal what was answered before.

    Args:
        advance: called after each answer.
        tell: what people should know of what was left out.
    """

    def __init__(
        self, house: House, plan: Plan, journal: Journal, *, advance: Callable[[], None], tell: Callable[[str], None]
    ) -> None:
        self._house = house
        self._plan = plan
        self._journal = journal
        self._advance = advance
        self._tell = tell
        self._rows: dict[str, dict[str, Any]] = {}
        self._shown: dict[str, list[Message]] = {}
        self.answers = Answers(items={item.key: item.group for item in plan.items})

    async def run(self, rows: Mapping[str, dict[str, Any]]) -> Answers:
        """Ask everything that is not among the rows of before.

        Raises:
            ModelServerError: the server is away; what was answered is kept.
        """
        self._rows = dict(rows)
        await self._sit_items()
        await self._ask_golden()
        await self._measure_likeness()
        for criterion in self._plan.criteria:
            await self._judge(criterion)
        if self._plan.judged:
            people: list[Word] = [one.is_right for one in self._plan.judged]
            by_rule: list[Word] = [is_rightly_said(one.said, one.golden) for one in self._plan.judged]
            self.answers.judged[RULE] = (by_rule, people)
        return self.answers

    async def _sit_items(self) -> None:
        asked: list[tuple[Help, By, Item, tuple[int, ...]]] = [
            (help_, by, item, order)
            for help_ in self._plan.helps
            for by in self._plan.by
            for item in self._plan.items
            for order in list_orders(item, by)
        ]
        jobs = (self._make_item_job(help_, by, item, order) for help_, by, item, order in asked)
        places = iter(asked)
        async for row in self._take(jobs):
            help_, by, item, order = next(places)
            choice = Choice(item.key, order, order.index(item.right), row["chosen"])
            self.answers.choices.setdefault(by, {}).setdefault(help_.way, []).append(choice)

    def _make_item_job(self, help_: Help, by: By, item: Item, order: Sequence[int]) -> Job:
        async def work() -> Row:
            sat = await ask(self._house.model_server, help_, item, order, by)
            return {"chosen": sat.choice.chosen, "seconds": sat.seconds}

        return self._name("item", help_.way, help_.adapter, by, item.key, list(order)), work

    async def _ask_golden(self) -> None:
        asked = [(help_, golden) for help_ in self._plan.helps for golden in self._plan.golden]
        places = iter(asked)
        async for row in self._take(self._make_golden_job(help_, golden) for help_, golden in asked):
            help_, golden = next(places)
            group = golden.sources[0] if golden.sources else golden.id
            known = {name: row[name] for name in _KEPT}
            answer = OpenAnswer(_name_question(golden), _read_language(golden), group, reference=golden.answer, **known)
            self.answers.open.setdefault(help_.way, []).append(answer)

    def _make_golden_job(self, help_: Help, golden: GoldenQuestion) -> Job:
        async def work() -> Row:
            if help_.find_passages is None:
                return await self._ask_openly(help_, golden)
            graded = await Examiner(self._house.finder, self._house.composer).ask(golden, adapter=help_.adapter)
            row: dict[str, Any] = {"answer": graded.answer, "is_right": graded.cell in RIGHT, "cell": graded.cell}
            tokens = {"prompt_tokens": graded.prompt_tokens, "completion_tokens": graded.completion_tokens}
            return row | tokens | {"seconds": graded.seconds}

        return self._name("golden", help_.way, help_.adapter, asdict(golden)), work

    async def _ask_openly(self, help_: Help, golden: GoldenQuestion) -> Row:
        language = _read_language(golden)
        examples = self._plan.examples.get(language, ()) if help_.way == "few_shot" else ()
        sampling = Sampling(max_tokens=self._house.composer.limits.answer_tokens)
        began = time.perf_counter()
        messages = build_question(golden.question, language, examples)
        said = await self._house.model_server.complete(messages, adapter=help_.adapter, sampling=sampling)
        row: dict[str, Any] = {"answer": said.text, "is_right": is_rightly_said(said.text, golden), "cell": None}
        tokens = {"prompt_tokens": said.prompt_tokens, "completion_tokens": said.completion_tokens}
        return row | tokens | {"seconds": time.perf_counter() - began}

    async def _measure_likeness(self) -> None:
        """BERTScore, where an encoder is set and right answers are known in full."""
        model = self._house.settings.bertscore_model
        if model is None:
            return
        for way, said in self.answers.open.items():
            known = [one for one in said if one.reference]
            texts = [one.answer for one in known], [one.reference for one in known]
            scores = await asyncio.to_thread(measure_bertscore, model, *texts)
            self.answers.likeness[way] = dict(zip((one.question for one in known), scores, strict=True))

    async def _judge(self, criterion: Criterion) -> None:
        """Grades of every way, verdicts against the first, and what the judge says of answers that people judged."""
        grader = ServerGrader(self._house.model_server, model=self._plan.judge)
        asked = [*self._plan.golden, *(one.golden for one in self._plan.judged)]
        known = {_read_language(one) for one in asked}
        languages: list[Language] = [language for language in LANGUAGES if language in known]
        try:
            rubrics: dict[str, Rubric] = {
                language: await self._find_rubric(grader, criterion, language) for language in languages
            }
        except NoStepsError as error:
            self._tell(f"not judged by {criterion.name}: {error}")
            return
        await self._grade_ways(grader, criterion, rubrics)
        await self._compare_ways(grader, criterion, rubrics)
        words: list[Word] = []
        said = [(one.golden, one.said) for one in self._plan.judged]
        async for row in self._take(self._make_grade_job(grader, rubrics, *one) for one in said):
            words.append(None if row["score"] is None else row["score"] >= RIGHT_GRADE)
        if words:
            self.answers.judged[f"G-Eval, {criterion.name}"] = (words, [one.is_right for one in self._plan.judged])

    async def _grade_ways(self, grader: ServerGrader, criterion: Criterion, rubrics: Mapping[str, Rubric]) -> None:
        for help_, said in self._list_answers():
            scores: dict[str, float] = {}
            places = iter(said)
            async for row in self._take(self._make_grade_job(grader, rubrics, *one) for one in said):
                golden, _ = next(places)
                if row["score"] is not None:
                    scores[_name_question(golden)] = row["score"]
            self.answers.grades.setdefault(criterion.name, {})[help_.way] = scores

    async def _compare_ways(self, grader: ServerGrader, criterion: Criterion, rubrics: Mapping[str, Rubric]) -> None:
        (_, live), *others = list(self._list_answers())
        for help_, said in others:
            jobs = (
                self._make_duel_job(grader, rubrics, golden, of_live, of_other)
                for (golden, of_live), (_, of_other) in zip(live, said, strict=True)
            )
            verdicts = [Verdict(row["won"], row["by"]) async for row in self._take(jobs)]
            self.answers.verdicts.setdefault(criterion.name, {})[help_.way] = verdicts

    def _list_answers(self) -> Iterator[tuple[Help, list[tuple[GoldenQuestion, str]]]]:
        for help_ in self._plan.helps:
            said = [one.answer for one in self.answers.open.get(help_.way, [])]
            yield help_, list(zip(self._plan.golden, said, strict=True))

    async def _find_rubric(self, grader: ServerGrader, criterion: Criterion, language: Language) -> Rubric:
        async def work() -> Row:
            return {"steps": list((await write_rubric(grader, criterion, language)).steps)}

        key = self._name("rubric", grader.model, criterion.name, language)
        row = self._rows.get(key) or await self._keep(key, await work())
        return Rubric(criterion, language, tuple(row["steps"]))

    def _make_grade_job(
        self, grader: ServerGrader, rubrics: Mapping[str, Rubric], golden: GoldenQuestion, said: str
    ) -> Job:
        rubric = rubrics[_read_language(golden)]

        async def work() -> Row:
            found = await grade(grader, rubric, await self._show(golden), said)
            return {"score": None if found is None else found.score}

        return self._name("grade", grader.model, list(rubric.steps), asdict(golden), said), work

    def _make_duel_job(
        self, grader: ServerGrader, rubrics: Mapping[str, Rubric], golden: GoldenQuestion, live: str, other: str
    ) -> Job:
        rubric = rubrics[_read_language(golden)]

        async def work() -> Row:
            verdict = await compare(grader, rubric, await self._show(golden), live, other)
            return {"won": verdict.won, "by": verdict.by}

        return self._name("duel", grader.model, list(rubric.steps), asdict(golden), live, other), work

    async def _show(self, golden: GoldenQuestion) -> Asked:
        """The question beside what our search finds for it: the same for every way that is judged."""
        if _name_question(golden) not in self._shown:
            limits = self._house.composer.limits
            found = await self._house.finder.find(golden.question, golden.principals, limit=limits.passages)
            room = {"context_tokens": limits.context_tokens, "answer_tokens": limits.answer_tokens + JUDGE_TOKENS}
            self._shown[_name_question(golden)] = to_messages(
                found.searched, fit(found.searched, found.passages, **room)
            )
        return Asked(
            self._shown[_name_question(golden)], golden.question, _read_language(golden), golden.answer or None
        )

    async def _take(self, jobs: Iterable[Job]) -> AsyncGenerator[Row]:
        """Rows in the jobs' order; what is not known yet is asked, a few at a time, and kept."""

        async def find(job: Job) -> tuple[str, Row, bool]:
            key, work = job
            return (key, self._rows[key], True) if key in self._rows else (key, await work(), False)

        async for key, row, is_known in take_answers(find(job) for job in jobs):
            yield row if is_known else await self._keep(key, row)
            self._advance()

    async def _keep(self, key: str, row: Row) -> Row:
        self._journal.add(key, row)
        self._rows[key] = dict(row)
        return row

    def _name(self, *parts: Any) -> str:
        return hash_value([self._house.model_server.model, *parts])


def is_rightly_said(answer: str, golden: GoldenQuestion) -> bool:
    """Whether it holds an accepted text, or says that it does not know where no document does."""
    return is_right(answer, golden) if golden.accept else is_refusal(answer)


class Passages:
    """What the bot's model would be shown for a question; each is searched once."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._found: dict[tuple[str, tuple[str, ...]], list[PromptPassage]] = {}

    async def find(self, question: str, principals: Sequence[str]) -> list[PromptPassage]:
        """Behind the filter of these principals."""
        key = (question, tuple(principals))
        if key not in self._found:
            limits = self._house.composer.limits
            found = await self._house.finder.find(question, principals, limit=limits.passages)
            room = {"context_tokens": limits.context_tokens, "answer_tokens": OPTION_TOKENS}
            fitting = fit(question, found.passages, **room)
            self._found[key] = [PromptPassage(one.title, one.heading_path, one.text) for one in fitting]
        return self._found[key]


def _name_question(golden: GoldenQuestion) -> str:
    """Two files may give one name to two questions."""
    return hash_value(asdict(golden))[:16]


def _read_language(golden: GoldenQuestion) -> Language:
    return "ko" if golden.language == "ko" else "en"


_KEPT = ("answer", "is_right", "cell", "seconds", "prompt_tokens", "completion_tokens")
