"""The query that GraphiQL opens with, and that the demo suggests: a whole dashboard. Or why none will run."""

DEFAULT_QUERY = """\
# A whole sales dashboard in one query; every number is of the same moment, `asOf`.
# Hover a field to see what it counts. Other questions: pipelineStats, companyAnalytics, me.
query Dashboard {
  dashboard(period: { preset: LAST_90_DAYS }) {
    asOf
    period { from to }
    overview {
      deals {
        total open won lost
        pipelineValue weightedValue wonValue lostValue
        winRate averageDealSize averageCycleDays
      }
      activities { total today week byKind { kind count } }
      companies { total withDeals new }
      tasks { open overdue dueToday }
      pipeline {
        stage { name kind probability }
        deals value weightedValue share averageAgeDays
        entered left conversionToNext medianDaysInStage
      }
    }
    trend(interval: WEEK) { start created won lost wonValue }
    leaderboard(first: 5) { member { name team } won wonValue winRate openValue }
    recent {
      activities(first: 5) { kind subject occurredAt owner { name } company { name } deal { name amount } }
      tasks(first: 5) { title dueAt owner { name } company { name } deal { name } }
    }
  }
}
"""

ONLY_TRUSTED = """\
# This gateway runs trusted documents only: DOCUMENTS_MODE is `trusted`.
# It refuses whatever is written here, and the question for the schema that this page asks first,
# unless the operator has added the very same text with `gateway documents add`.
"""
