"""What the types of problems stand for; asked without a key."""

from fastapi import APIRouter, Path
from starlette.responses import Response

from api.answers import answer
from api.examples import PROBLEM_TYPE, PROBLEM_TYPES, example
from api.problems import describe, description_of, kinds

router = APIRouter(tags=["problems"])


@router.get("/problems", summary="Every problem there is", responses=example(PROBLEM_TYPES))
def get_problems() -> Response:
    """All codes with their status, in the order of the tree of refusals."""
    return answer({"problems": [description_of(kind) for kind in kinds()]})


@router.get("/problems/{code}", summary="One problem", responses=example(PROBLEM_TYPE))
def get_problem(code: str = Path(max_length=100)) -> Response:
    """What a problem's `type` leads to: its title and status, and what can be done."""
    return answer(describe(code))
