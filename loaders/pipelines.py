"""Pipelines and their ordered stages."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from loaders.reads import Reads, in_key_order, statements

SQL = statements("pipelines")


class PipelineRow(NamedTuple):
    id: int
    name: str
    is_default: bool


class StageRow(NamedTuple):
    id: int
    pipeline_id: int
    name: str
    position: int
    probability: Decimal
    kind: str


async def pipelines(reads: Reads) -> list[PipelineRow]:
    """All pipelines of the tenant, the default one first, then by name. Source: pipelines."""
    return [PipelineRow(*row) for row in await reads.fetch(SQL["pipelines"])]


async def pipelines_by_id(reads: Reads, ids: Sequence[int]) -> list[PipelineRow | None]:
    """Pipelines in the order of `ids`, None where there is none. Source: pipelines."""
    rows = [PipelineRow(*row) for row in await reads.fetch(SQL["pipelines_by_id"], ids)]
    return in_key_order(ids, rows, lambda row: row.id)


async def stages_by_id(reads: Reads, ids: Sequence[int]) -> list[StageRow | None]:
    """Stages in the order of `ids`, None where there is none. Source: stages."""
    rows = [StageRow(*row) for row in await reads.fetch(SQL["stages_by_id"], ids)]
    return in_key_order(ids, rows, lambda row: row.id)


async def stages_by_pipeline(reads: Reads, pipeline_ids: Sequence[int]) -> list[list[StageRow]]:
    """The stages of each pipeline by position, in the order of `pipeline_ids`. Source: stages."""
    found: defaultdict[int, list[StageRow]] = defaultdict(list)
    for row in await reads.fetch(SQL["stages_by_pipeline"], pipeline_ids):
        stage = StageRow(*row)
        found[stage.pipeline_id].append(stage)
    return [found[pipeline_id] for pipeline_id in pipeline_ids]
