"""The `gateway` command. Each subcommand reads settings, calls one function and prints what came of it."""

import typer

from gateway.cli import documents, plans, rollups, service, tenants

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Serve and run the aggregation gateway.")
tenant_app = typer.Typer(no_args_is_help=True, help="Tenants: those whose data is kept apart.")
member_app = typer.Typer(no_args_is_help=True, help="Members: the people of a tenant.")
documents_app = typer.Typer(no_args_is_help=True, help="Trusted documents: those that are run when no others are.")
plans_app = typer.Typer(no_args_is_help=True, help="Plans: what tenants may use.")
rollups_app = typer.Typer(no_args_is_help=True, help="Rollups: materialized views that are never stale.")

app.command()(service.serve)
app.command()(service.worker)
app.command()(service.demo)
app.command()(service.migrate)
app.command()(service.schema)
app.command()(service.doctor)
app.command()(tenants.token)
app.command("import")(tenants.import_)
app.command()(rollups.refresh)
app.add_typer(documents_app, name="documents")
app.add_typer(plans_app, name="plans")
app.add_typer(rollups_app, name="rollups")
app.add_typer(tenant_app, name="tenant")
app.add_typer(member_app, name="member")

documents_app.command("add")(documents.add)
documents_app.command("list")(documents.list_)
plans_app.command("list")(plans.list_)
plans_app.command("set")(plans.set_)
rollups_app.command("list")(rollups.list_)
rollups_app.command("audit")(rollups.audit)
rollups_app.command("diff")(rollups.diff)
tenant_app.command("create")(tenants.tenant_create)
tenant_app.command("set-timezone")(tenants.tenant_set_timezone)
tenant_app.command("set-plan")(plans.tenant_set_plan)
member_app.command("add")(tenants.member_add)
