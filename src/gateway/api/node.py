"""The `Node` interface: anything that has an id of its own."""

import strawberry


@strawberry.interface(description="A record with a global id. `node(id)` finds it again.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque global id; unique over all types.")
