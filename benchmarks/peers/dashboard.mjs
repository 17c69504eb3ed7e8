// A whole dashboard, read in one snapshot. Every statement is awaited: a connection runs one at a time.
import { identify, inSnapshot } from "./database.mjs";
import { average, plain, ratio, sum, times } from "./numbers.mjs";

const DAY_MS = 86_400_000;
const KINDS = { CALL: "calls", EMAIL: "emails", MEETING: "meetings", NOTE: "notes" };

/** How many dashboards were read from the database: what was not read was answered from a cache. */
export const counted = { reads: 0 };

/** The dashboard of a caller's tenant. `wanted`: { preset, interval, sellers, activities, tasks }. */
export async function readDashboard(caller, wanted) {
  counted.reads += 1;
  const found = await identify(caller.tenant, caller.sub);
  if (!found?.active) throw new Error("The token names no active member.");
  return inSnapshot(found.tenant_id, (fetch) => read(fetch, wanted));
}

async function read(fetch, wanted) {
  const [moment] = await fetch("moment");
  const preset = moment.names.indexOf(wanted.preset.toLowerCase());
  const days = [moment.from_days[preset], moment.to_days[preset]];
  const stages = await readStages(fetch, days);
  const [activities] = await fetch("activity_summary", null, ...days, moment.today);
  const [companies] = await fetch("company_summary", null, ...days, true);
  const [tasks] = await fetch("task_summary", null, moment.as_of, moment.today);
  const trend = await fetch("deal_trend", null, null, wanted.interval.toLowerCase(), ...days, moment.today);
  const sellers = await fetch("leaderboard", null, ...days, wanted.sellers);
  const recent = await fetch("recent_activities", null, wanted.activities);
  const next = await fetch("next_tasks", null, wanted.tasks);
  const related = await readRelated(fetch, [...sellers, ...recent, ...next]);
  return {
    asOf: moment.as_of,
    period: { from: days[0], to: days[1] },
    overview: {
      deals: dealSummary(stages),
      activities: activitySummary(activities),
      companies: { total: companies.total, withDeals: companies.with_deals, new: companies.new },
      tasks: { open: tasks.open, overdue: tasks.overdue, dueToday: tasks.due_today },
      pipeline: stageStats(stages, moment.today),
    },
    trend: trend.map(({ won_value, ...point }) => ({ ...point, wonValue: plain(won_value) })),
    leaderboard: sellers.map((row) => ({ ...leaderboardEntry(row), member: related.members.get(row.owner_id) })),
    recent: {
      activities: recent.map((row) => ({
        kind: row.kind.toUpperCase(), subject: row.subject, occurredAt: row.occurred_at, ...relatedTo(row, related),
      })),
      tasks: next.map((row) => ({ title: row.title, dueAt: row.due_at, ...relatedTo(row, related) })),
    },
  };
}

/** The rows of all stages, each with what is known of the moves in and out of it. */
async function readStages(fetch, days) {
  const board = await fetch("deal_board", false, null, null, ...days, false);
  const passages = new Map((await fetch("stage_passages", false, null, null, ...days)).map((row) => [row.stage_id, row]));
  return board.filter((row) => row.stage_id !== null).map((row) => ({ ...row, ...passages.get(row.stage_id) }));
}

/** The members, companies and deals that rows refer to, by id. */
async function readRelated(fetch, rows) {
  const byId = async (statement, column) => {
    const ids = [...new Set(rows.map((row) => row[column]).filter((id) => id != null))];
    return new Map((await fetch(statement, ids)).map((row) => [row.id, row]));
  };
  const members = await byId("members_by_id", "owner_id");
  const companies = await byId("companies_by_id", "company_id");
  const deals = await byId("deals_by_id", "deal_id");
  deals.forEach((deal) => (deal.amount &&= plain(deal.amount)));
  return { members, companies, deals };
}

function relatedTo(row, { members, companies, deals }) {
  return { owner: members.get(row.owner_id), company: companies.get(row.company_id), deal: deals.get(row.deal_id) };
}

function dealSummary(stages) {
  const open = stages.filter((row) => row.kind === "open");
  const flow = stages[0];
  return {
    total: flow.created,
    open: open.reduce((total, row) => total + row.deals, 0),
    won: flow.won,
    lost: flow.lost,
    pipelineValue: plain(sum(open.map((row) => row.value))),
    weightedValue: plain(sum(open.map((row) => times(row.value, row.probability)))),
    wonValue: plain(flow.won_value),
    lostValue: plain(flow.lost_value),
    winRate: ratio(flow.won, flow.won + flow.lost),
    averageDealSize: average(flow.won_value, flow.won),
    averageCycleDays: ratio(flow.won_cycle_days, flow.won),
  };
}

function activitySummary(row) {
  const byKind = Object.entries(KINDS).map(([kind, column]) => ({ kind, count: row[column] }));
  const total = byKind.reduce((made, { count }) => made + count, 0);
  return { total, today: row.today, week: row.week, byKind };
}

function stageStats(stages, today) {
  const openValue = sum(stages.filter((row) => row.kind === "open").map((row) => row.value));
  const todayNumber = (Date.parse(today) - Date.parse("2000-01-01")) / DAY_MS;
  return stages.map((row) => {
    const open = row.kind === "open";
    return {
      stage: { name: row.stage_name, kind: row.kind.toUpperCase(), probability: plain(row.probability) },
      deals: row.deals,
      value: plain(row.value),
      weightedValue: open ? plain(times(row.value, row.probability)) : "0",
      share: open ? ratio(row.value, openValue) : null,
      averageAgeDays: open ? ratio(row.deals * todayNumber - row.created_days, row.deals) : null,
      entered: row.entered,
      left: row.departed,
      conversionToNext: open ? ratio(row.later_deals ?? 0, row.entered_deals ?? 0) : null,
      medianDaysInStage: row.median_days ?? null,
    };
  });
}

function leaderboardEntry(row) {
  return {
    won: row.won,
    wonValue: plain(row.won_value),
    winRate: ratio(row.won, row.won + row.lost),
    openValue: plain(row.open_value),
  };
}
