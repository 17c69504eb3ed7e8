"""Queries that ask for every number that the oracle knows."""

DEALS = """
fragment Deals on DealSummary {
  total open won lost pipelineValue weightedValue wonValue lostValue winRate averageDealSize averageCycleDays
}
"""
ACTIVITIES = "fragment Activities on ActivitySummary { total today week byKind { kind count } }"
STAGES = """
fragment Stages on StageStats {
  stage { id kind }
  deals value weightedValue share averageAgeDays entered left conversionToNext medianDaysInStage
}
"""
POINT = "fragment Point on TrendPoint { start created won lost wonValue }"
TRENDS = """
  day: trend(interval: DAY) { ...Point }
  week: trend(interval: WEEK) { ...Point }
  month: trend(interval: MONTH) { ...Point }
  quarter: trend(interval: QUARTER) { ...Point }
"""

DASHBOARD = f"""
query Dashboard($owner: ID, $period: PeriodInput) {{
  dashboard(ownerId: $owner, period: $period) {{
    asOf
    period {{ from to preset }}
    overview {{
      deals {{ ...Deals }}
      activities {{ ...Activities }}
      companies {{ total withDeals new }}
      tasks {{ open overdue dueToday }}
      pipeline {{ ...Stages }}
    }}
    recent {{
      activities {{ id kind owner {{ id }} company {{ id }} contact {{ id }} deal {{ id }} }}
      tasks {{ id owner {{ id }} company {{ id }} deal {{ id }} }}
    }}
    leaderboard(first: 100) {{ member {{ id }} won wonValue winRate openValue }}
    {TRENDS}
  }}
}}
{DEALS} {ACTIVITIES} {STAGES} {POINT}
"""

PIPELINE_STATS = f"""
query PipelineStats($pipeline: ID, $owner: ID, $period: PeriodInput) {{
  pipelineStats(pipelineId: $pipeline, ownerId: $owner, period: $period) {{
    asOf
    pipeline {{ id }}
    deals {{ ...Deals }}
    stages {{ ...Stages }}
    {TRENDS}
  }}
}}
{DEALS} {STAGES} {POINT}
"""

COMPANY_ANALYTICS = f"""
query CompanyAnalytics($company: ID!, $period: PeriodInput) {{
  companyAnalytics(companyId: $company, period: $period) {{
    asOf
    company {{ id }}
    deals {{ ...Deals }}
    activities {{ ...Activities }}
    engagement {{ score health components {{ name points maxPoints }} }}
    lastContactAt
    {TRENDS}
  }}
}}
{DEALS} {ACTIVITIES} {POINT}
"""
