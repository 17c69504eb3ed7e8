"""Arguments that several fields take, with their descriptions."""

from typing import Annotated

import strawberry

from gateway.api.periods import Interval, PeriodInput

OwnerId = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="A member: only what is theirs. Null for the whole tenant."),
]
PipelineId = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="A pipeline. Null for the tenant's default one."),
]
CompanyId = Annotated[strawberry.ID, strawberry.argument(description="A company.")]
RecordId = Annotated[strawberry.ID, strawberry.argument(description="The record's global id.")]
OptionalPeriod = Annotated[
    PeriodInput | None,
    strawberry.argument(description="The days that count. Null for all time."),
]
TrendInterval = Annotated[Interval, strawberry.argument(description="Length of one point.")]
First = Annotated[int | None, strawberry.argument(description="How many entries at most: from 0 to 100.")]
