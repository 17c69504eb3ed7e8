"""Pipelines and their ordered stages."""

from decimal import Decimal
from typing import Self

import strawberry

from gateway.api import costs
from gateway.api.context import Info
from gateway.api.enums import StageKind
from gateway.api.ids import encode_id
from gateway.api.node import Node
from loaders.pipelines import PipelineRow, StageRow


@strawberry.type(description="A way of selling: ordered stages that a deal moves through.")
class Pipeline(Node):
    key: strawberry.Private[int]
    name: str = strawberry.field(description="Name; unique within the tenant.")
    is_default: bool = strawberry.field(description="Whether it is the one that is meant where none is named.")

    @strawberry.field(description="Its stages, in order of position.", directives=[costs.at_most(10)])
    async def stages(self, info: Info) -> list["Stage"]:
        return [Stage.of(row) for row in await info.context.loaders.pipeline_stages.load(self.key)]

    @classmethod
    def of(cls, row: PipelineRow) -> Self:
        return cls(
            id=strawberry.ID(encode_id("Pipeline", row.id)), key=row.id, name=row.name, is_default=row.is_default
        )


@strawberry.type(description="A step of a pipeline.")
class Stage(Node):
    pipeline_key: strawberry.Private[int]
    name: str = strawberry.field(description="Name; unique within the pipeline.")
    position: int = strawberry.field(description="Place in the pipeline, counted from 1.")
    probability: Decimal = strawberry.field(description="How likely a deal in it is won, from 0 to 1.")
    kind: StageKind = strawberry.field(description="Whether deals in it are open, won or lost.")

    @strawberry.field(description="The pipeline that it is a step of.")
    async def pipeline(self, info: Info) -> Pipeline:
        row = await info.context.loaders.pipeline.load(self.pipeline_key)
        if row is None:
            raise LookupError(f"pipeline {self.pipeline_key} is referred to and missing")
        return Pipeline.of(row)

    @classmethod
    def of(cls, row: StageRow) -> Self:
        return cls(
            id=strawberry.ID(encode_id("Stage", row.id)),
            pipeline_key=row.pipeline_id,
            name=row.name,
            position=row.position,
            probability=row.probability,
            kind=StageKind(row.kind),
        )


async def pipeline(info: Info, key: int | None) -> Pipeline | None:
    """The pipeline of a key; None for no key or no such pipeline."""
    row = None if key is None else await info.context.loaders.pipeline.load(key)
    return row and Pipeline.of(row)


async def stage(info: Info, key: int | None) -> Stage | None:
    """The stage of a key; None for no key or no such stage."""
    row = None if key is None else await info.context.loaders.stage.load(key)
    return row and Stage.of(row)
