//! Ways through flows: steps that nothing leads to, flows that never end, and circles without a
//! question.

use std::collections::{HashMap, HashSet};

use super::flow_texts;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::Reader;
use crate::rules::Target;
use crate::rules::compile::flow::{Draft as FlowDraft, StepDraft, target};

/// Where a step may lead when it is done.
struct Ways<'f> {
    /// Steps of the same flow, by their place.
    steps: Vec<usize>,
    /// Flows that take over.
    flows: Vec<&'f str>,
    /// The flow may end here.
    ends: bool,
    /// The flow may be left here.
    leaves: bool,
}

/// A flow with the ways out of each of its steps.
struct Mapped<'f, 'd> {
    flow: &'f FlowDraft<'d>,
    ways: Vec<Ways<'f>>,
}

/// A place on the way: a step of a flow, or its end.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place<'f> {
    Step(&'f str, usize),
    End(&'f str),
}

pub(crate) fn id_of<'d>(step: &StepDraft<'d>) -> Option<&'d str> {
    step.id.as_ref().map(|id| id.value)
}

/// Looks at all flows together: they start each other.
pub(crate) fn all(reader: &mut Reader<'_>, flows: &[FlowDraft<'_>]) {
    let flows = flows.iter().filter(|flow| !flow.steps.is_empty());
    let map: HashMap<&str, Mapped<'_, '_>> = flows
        .map(|flow| {
            let ways = (0..flow.steps.len()).map(|index| ways_of(flow, index));
            let ways = ways.collect();
            (flow.name, Mapped { flow, ways })
        })
        .collect();
    let mut names: Vec<&str> = map.keys().copied().collect();
    names.sort_unstable();
    let ending = ending(&map);
    for name in &names {
        unreachable(reader, &map[name]);
        early_answers(reader, &map[name]);
        let draft = map[name].flow;
        if !ending.contains(name) {
            let message = format!("no way leads out of the flow `{name}`");
            let help = "let a step `go = \"end\"`";
            reader.warn(codes::ENDLESS_FLOW, &draft.header, message, help);
        }
    }
    circles(reader, &map, &names);
    let mut inner = map.values().flat_map(|mapped| &mapped.flow.steps);
    let inner: HashSet<&str> = inner
        .by_ref()
        .filter_map(|step| step.flow.as_ref())
        .map(|name| name.value)
        .collect();
    for name in names {
        silent_end(reader, &map[name], &inner);
    }
}

/// Reports a flow that ends without a word after the last answer. The flow around a sub-flow goes
/// on by itself.
fn silent_end(reader: &mut Reader<'_>, mapped: &Mapped<'_, '_>, inner: &HashSet<&str>) {
    let flow = mapped.flow;
    let ends = || {
        reached(mapped, |_| true)
            .iter()
            .any(|index| mapped.ways[*index].ends)
    };
    if flow.has_end || inner.contains(flow.name) || !ends() {
        return;
    }
    let message = format!("the flow `{}` ends without a word", flow.name);
    let help = format!(
        "add `[flow.{}.end]` with a `reply`; `end = {{}}` says that it is meant",
        flow.name
    );
    reader.warn(codes::SILENT_END, &flow.header, message, help);
}

/// Reports steps that name an answer which is never given before them: every way to the other step
/// leads through this one.
fn early_answers(reader: &mut Reader<'_>, mapped: &Mapped<'_, '_>) {
    let steps = &mapped.flow.steps;
    let all = reached(mapped, |_| true);
    for (index, step) in steps.iter().enumerate() {
        let before = reached_without(mapped, index);
        let later = (0..steps.len()).filter(|other| all.contains(other) && !before.contains(other));
        let later = later.filter(|other| *other > index);
        let later: Vec<&str> = later.filter_map(|other| id_of(&steps[other])).collect();
        if !later.is_empty() && all.contains(&index) {
            flow_texts::early_answers(reader, step, &later);
        }
    }
}

/// Steps that a flow can reach from its first one without going through one of them.
fn reached_without(mapped: &Mapped<'_, '_>, left_out: usize) -> HashSet<usize> {
    let id = id_of(&mapped.flow.steps[left_out]);
    reached(mapped, |step| id_of(step) != id)
}

fn ways_of<'f>(flow: &'f FlowDraft<'_>, index: usize) -> Ways<'f> {
    let step = &flow.steps[index];
    let mut ways = Ways {
        steps: Vec::new(),
        flows: Vec::new(),
        ends: false,
        leaves: false,
    };
    for text in &step.targets {
        match target(text) {
            Target::Step(id) => {
                let place = flow.steps.iter().position(|step| id_of(step) == Some(&id));
                ways.steps.extend(place);
            }
            Target::Flow(_) => ways.flows.extend(text.value.strip_prefix("flow:")),
            Target::End => ways.ends = true,
            Target::Cancel => ways.leaves = true,
        }
    }
    // A step with `if` may be skipped, so the next step may follow it.
    if step.falls_through || step.may_be_passed() {
        if index + 1 < flow.steps.len() {
            ways.steps.push(index + 1);
        } else {
            ways.ends = true;
        }
    }
    ways
}

/// Steps that a flow can reach from its first one without going beyond a step that `may_pass`
/// refuses.
fn reached(mapped: &Mapped<'_, '_>, may_pass: impl Fn(&StepDraft<'_>) -> bool) -> HashSet<usize> {
    let mut reached = HashSet::from([0]);
    let mut next = vec![0];
    while let Some(index) = next.pop() {
        if !may_pass(&mapped.flow.steps[index]) {
            continue;
        }
        let steps = mapped.ways[index].steps.iter();
        next.extend(steps.filter(|step| reached.insert(**step)));
    }
    reached
}

fn unreachable(reader: &mut Reader<'_>, mapped: &Mapped<'_, '_>) {
    let reached = reached(mapped, |_| true);
    for (index, step) in mapped.flow.steps.iter().enumerate() {
        if let (false, Some(id)) = (reached.contains(&index), &step.id) {
            let message = format!("nothing leads to the step `{}`", id.value);
            let help = "the step above it always goes elsewhere";
            reader.warn(codes::UNREACHABLE_STEP, &id.span, message, help);
        }
    }
}

/// The flows that can come to an end. A sub-flow that cannot holds up the flow around it, and a
/// flow that is taken over by another ends when that one does.
fn ending<'f>(map: &HashMap<&'f str, Mapped<'f, '_>>) -> HashSet<&'f str> {
    let mut ending: HashSet<&str> = HashSet::new();
    loop {
        let can_end = |mapped: &Mapped<'_, '_>| {
            let known = |name: &str| ending.contains(name) || !map.contains_key(name);
            let may_pass = |step: &StepDraft<'_>| {
                let inner = step.flow.as_ref();
                step.may_be_passed() || inner.is_none_or(|inner| known(inner.value))
            };
            reached(mapped, may_pass).into_iter().any(|index| {
                let ways = &mapped.ways[index];
                let out = ways.ends || ways.leaves || ways.flows.iter().any(|name| known(name));
                out && may_pass(&mapped.flow.steps[index])
            })
        };
        let more: Vec<&str> = map
            .iter()
            .filter(|(name, mapped)| !ending.contains(*name) && can_end(mapped))
            .map(|(name, _)| *name)
            .collect();
        if more.is_empty() {
            return ending;
        }
        ending.extend(more);
    }
}

/// Reports the first step of each circle that is gone round without a question.
fn circles<'f>(reader: &mut Reader<'_>, map: &HashMap<&'f str, Mapped<'f, '_>>, names: &[&'f str]) {
    let mut reported: HashSet<Place<'_>> = HashSet::new();
    for name in names {
        for (index, step) in map[name].flow.steps.iter().enumerate() {
            let start = Place::Step(name, index);
            if reported.contains(&start) {
                continue;
            }
            let mut seen = HashSet::new();
            let mut next = silently(map, start);
            while let Some(place) = next.pop() {
                if seen.insert(place) {
                    next.extend(silently(map, place));
                }
            }
            if let (true, Some(id)) = (seen.contains(&start), &step.id) {
                reported.extend(seen);
                let message = format!(
                    "the step `{}` comes back to itself without a question",
                    id.value
                );
                reader.error(codes::CIRCLE, &id.span, message, "ask something on the way");
            }
        }
    }
}

/// Where it goes on from a place by itself.
fn silently<'f>(map: &HashMap<&'f str, Mapped<'f, '_>>, place: Place<'f>) -> Vec<Place<'f>> {
    let first = |name: &'f str| map.contains_key(name).then_some(Place::Step(name, 0));
    match place {
        Place::End(name) => {
            // The end of a flow may start another flow. The flow around a sub-flow says where it
            // continues.
            let end = map.get(name).and_then(|mapped| mapped.flow.answers.first());
            let starts = end.and_then(|end| end.starts.as_ref());
            let starts = starts.and_then(|name| map.get_key_value(name.value));
            starts
                .and_then(|(name, _)| first(name))
                .into_iter()
                .collect()
        }
        Place::Step(name, index) => {
            let Some(mapped) = map.get(name) else {
                return Vec::new();
            };
            let step = &mapped.flow.steps[index];
            if let Some(inner) = &step.flow {
                let inner = map.get_key_value(inner.value);
                return inner
                    .and_then(|(name, _)| first(name))
                    .into_iter()
                    .collect();
            }
            if !step.asks_nothing() {
                return Vec::new();
            }
            let ways = &mapped.ways[index];
            let steps = ways.steps.iter().map(|index| Place::Step(name, *index));
            let flows = ways.flows.iter().filter_map(|flow| {
                let (name, _) = map.get_key_value(flow)?;
                first(name)
            });
            let end = ways.ends.then_some(Place::End(name));
            steps.chain(flows).chain(end).collect()
        }
    }
}
