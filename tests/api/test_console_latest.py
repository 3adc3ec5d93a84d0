"""One question at a time on the page of an account: what a held key asks, and whose answer is shown."""

import asyncio

from api.console.latest import Latest


class Page:
    """Answers a number after a while, or not at all where it is refused, and notes what was asked and shown."""

    def __init__(self, refused: int | None = None) -> None:
        self.latest = Latest(self._answer)
        self.asked: list[int] = []
        self.shown: list[int] = []
        self._refused = refused

    async def _answer(self, number: int) -> None:
        self.asked.append(number)
        await asyncio.sleep(0.02)
        if number == self._refused:
            raise RuntimeError("the question failed")
        if self.latest.wanted == number:
            self.shown.append(number)


def test_a_key_that_is_held_asks_for_where_it_began_and_where_it_ended() -> None:
    async def held() -> Page:
        page = Page()
        pressed = []
        for number in range(1, 31):
            pressed.append(asyncio.create_task(page.latest.want(number)))
            await asyncio.sleep(0.005)
        await asyncio.gather(*pressed)
        return page

    page = asyncio.run(held())
    assert page.asked == [1, 30]
    assert page.shown == [30]


def test_of_two_that_are_wanted_the_later_is_shown() -> None:
    async def wanted() -> Page:
        page = Page()
        await asyncio.gather(page.latest.want(6), page.latest.want(7))
        return page

    page = asyncio.run(wanted())
    assert (page.asked, page.shown, page.latest.wanted) == ([6, 7], [7], None)


def test_what_is_to_rest_is_not_asked_for_on_the_way() -> None:
    async def slid() -> Page:
        page = Page()
        await asyncio.gather(*(page.latest.want(number, rested=True) for number in range(1, 10)))
        return page

    assert asyncio.run(slid()).asked == [9]


def test_a_question_that_fails_does_not_keep_the_next_from_being_asked() -> None:
    async def failed() -> Page:
        page = Page(refused=6)
        (failure,) = await asyncio.gather(page.latest.want(6), return_exceptions=True)
        assert isinstance(failure, RuntimeError)
        assert page.latest.wanted is None
        await page.latest.want(7)
        return page

    assert asyncio.run(failed()).shown == [7]
