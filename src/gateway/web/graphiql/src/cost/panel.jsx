// The price of the operation at hand, under its editor: the dearest of it, and the budget that it is taken from.
import "./panel.css";
import { pick, useGraphiQL } from "@graphiql/react";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { createPortal } from "react-dom";
import { availableAt, momentOf } from "./budget.js";
import { createPricing } from "./pricing.js";
import { durationOf, grouped, pointsOf, shareOf } from "./words.js";

const TICK_MILLISECONDS = 250;
const percent = (part, whole) => `${Math.max(0, Math.min(1, part / whole)) * 100}%`;

export function CostPanel({ endpoint, costs }) {
  const place = usePricing(endpoint, costs);
  const { on, price, old, reason, outcome, ...standing } = useSyncExternalStore(costs.watch, costs.get);
  if (!place || !on) return null;
  return createPortal(
    <section className="cost" aria-label="Price">
      <div className="cost-line">
        <Price price={price} old={old} reason={reason} />
        <p role="status">{outcome}</p>
      </div>
      <ol className={old ? "cost-paths cost-old" : "cost-paths"}>
        {price?.paths.map((share) => (
          <Path key={share.path.join(".")} {...share} whole={price.points} />
        ))}
      </ol>
      <Budget price={price} {...standing} />
    </section>,
    place,
  );
}

/** Has the operation priced whenever an editor changes. The element around the query editor, once there is one. */
function usePricing(endpoint, costs) {
  const { queryEditor, variableEditor, headerEditor, operationName, schema } = useGraphiQL(
    pick("queryEditor", "variableEditor", "headerEditor", "operationName", "schema"),
  );
  const moved = useRef(null);
  const known = useRef({});

  useEffect(() => {
    if (!queryEditor || !variableEditor || !headerEditor) return;
    const pricing = createPricing(endpoint, costs, () => ({
      query: queryEditor.getValue(),
      variables: variableEditor.getValue(),
      headers: headerEditor.getValue(),
      cursor: queryEditor.getModel().getOffsetAt(queryEditor.getPosition()),
      ...known.current,
    }));
    const editors = [queryEditor, variableEditor, headerEditor];
    const watches = editors.map((editor) => editor.onDidChangeModelContent(pricing.changed));
    watches.push(queryEditor.onDidChangeCursorPosition(pricing.moved));
    moved.current = pricing.moved;
    return () => watches.forEach((watch) => watch.dispose());
  }, [endpoint, costs, queryEditor, variableEditor, headerEditor]);

  useEffect(() => {
    known.current = { selected: operationName, schema };
    moved.current?.();
  }, [operationName, schema, queryEditor, variableEditor, headerEditor]);

  return queryEditor?.getContainerDomNode().parentElement;
}

function Price({ price, old, reason }) {
  const words = price && pointsOf(price.points) + (price.most ? `, ${grouped(price.most)} are allowed` : "");
  return (
    <p role="status" className={old ? "cost-old" : undefined} title={reason ?? undefined}>
      {reason ?? (words ? <strong>{words}</strong> : "–")}
    </p>
  );
}

function Path({ path, cost, remedy, whole }) {
  return (
    <li title={path.join(".")}>
      <span className="cost-path">
        <span>{path.slice(0, -1).map((name) => `${name}.`)}</span>
        {path.at(-1)}
      </span>
      <span className="cost-bar" aria-hidden="true">
        <span style={{ width: percent(cost, whole) }} />
      </span>
      <span className="cost-points">{shareOf(cost)}</span>
      {remedy && <span className="cost-remedy">{remedy}</span>}
    </li>
  );
}

function Budget({ price, budget, held, refusedUntil }) {
  const now = useClock(Math.max(budget ? momentOf(budget.maximum, budget) : 0, refusedUntil ?? 0));
  if (!budget && !refusedUntil) return null;
  const available = budget && Math.max(0, availableAt(now, budget) - held);
  return (
    <>
      {budget && (
        <div
          className={price && price.points > available + held ? "cost-budget cost-short" : "cost-budget"}
          role="meter"
          aria-label="Budget"
          aria-valuemin={0}
          aria-valuemax={budget.maximum}
          aria-valuenow={Math.floor(available)}
        >
          <span style={{ width: percent(available, budget.maximum) }} />
        </div>
      )}
      <div className="cost-line">
        <p>{budget && `${grouped(available)} of ${pointsOf(budget.maximum)}, +${grouped(budget.restoreRate)}/s`}</p>
        <p role="timer">{waitOf(price, budget, refusedUntil, now)}</p>
      </div>
    </>
  );
}

/** When the operation fits: what was refused was told that, of all else the budget tells. */
function waitOf(price, budget, refusedUntil, now) {
  if (refusedUntil !== null && refusedUntil <= now) return "Fits now";
  if (price?.most) return null;
  const moment = refusedUntil ?? (price && budget ? momentOf(price.points, budget) : 0);
  if (moment === Infinity) return "Never fits";
  return moment > now ? `Fits in ${durationOf((moment - now) / 1000)}` : null;
}

/** The time, which goes on until this moment. */
function useClock(until) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const tick = () => {
      setNow(Date.now());
      if (Date.now() >= until) clearInterval(timer);
    };
    const timer = setInterval(tick, TICK_MILLISECONDS);
    tick();
    return () => clearInterval(timer);
  }, [until]);
  return now;
}
