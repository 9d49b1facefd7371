// Components by name against the images of an epoch.
#include "checkpoint/restore_plan.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time.hpp"

namespace millrace::detail {
namespace {

/// What an epoch has of a component, over all its stages and tasks.
struct Kept {
  std::uint32_t tasks = 0;
  std::size_t positions = 0;
  std::size_t prepared = 0;
  std::size_t parts = 0;
  std::uint64_t bytes = 0;
  bool by_key = false;  ///< some of it belongs to keys

  bool nothing() const { return positions == 0 && prepared == 0 && parts == 0; }
};

using KeptByName = std::map<std::string, Kept, std::less<>>;

KeptByName kept_in(const EpochImage& image) {
  KeptByName kept;
  for (const StageImage& stage : image.stages) {
    Kept& one = kept[stage.component];
    one.tasks = std::max(one.tasks, stage.tasks);
    one.positions += stage.positions.size();
    one.prepared += stage.prepared.size();
    one.parts += stage.parts.size();
    for (const StatePart& part : stage.parts) {
      one.bytes += part.size();
      one.by_key |= part.owner == PartOwner::key_group;
    }
  }
  return kept;
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string words_for(const Kept& kept) {
  std::vector<std::string> words;
  if (kept.positions > 0) words.push_back(counted(kept.positions, "position"));
  if (kept.parts > 0) {
    words.push_back(
        fmt::format("{} of state with {} bytes", counted(kept.parts, "part"), kept.bytes));
  }
  if (kept.prepared > 0) words.push_back(counted(kept.prepared, "output") + " to commit");
  if (words.empty()) return "nothing";
  return fmt::format("{}, of {}", fmt::join(words, ", "), counted(kept.tasks, "task"));
}

/// Why what was kept is not of such a component; empty: it is.
std::string misfit(const Kept& kept, ComponentRole role) {
  if (kept.positions > 0 && role != ComponentRole::source)
    return "what was kept is where a source stood";
  if (kept.prepared > 0 && role != ComponentRole::sink)
    return "what was kept are outputs that wait for their commit";
  if (kept.by_key && role != ComponentRole::step) return "what was kept is state of keys";
  return {};
}

class RestorePlanner {
 public:
  RestorePlanner(std::span<const ComponentOutline> components, bool allow_drop)
      : components_(components), allow_drop_(allow_drop) {}

  RestorePlan run(const std::string& topology, const EpochImage* image) {
    for (const ComponentOutline& component : components_) {
      if (component.lacks_name) ask_for_name(component);
    }
    if (image != nullptr) begin_from(topology, *image);
    for (const ComponentOutline& component : components_) add(component);
    for (const auto& [name, kept] : kept_) {
      if (!kept.nothing()) drop(name, kept);
    }
    return std::move(plan_);
  }

 private:
  void begin_from(const std::string& topology, const EpochImage& image) {
    plan_.epoch = image.epoch;
    plan_.taken_at = image.taken_at;
    kept_ = kept_in(image);
    if (image.topology == topology) return;
    refuse(
        fmt::format("the state folder is that of topology \"{}\", and this one is \"{}\": give "
                    "another --state-dir",
                    image.topology, topology));
  }

  void ask_for_name(const ComponentOutline& component) {
    refuse(
        fmt::format("{} \"{}\" has a name that was made up, and what it keeps is found again by "
                    "its name: add .named(\"...\") behind it, with a name that says what it is",
                    component.kind, component.name));
  }

  void add(const ComponentOutline& component) {
    const auto found = kept_.find(component.name);
    if (found == kept_.end()) {
      note(component.name, StateFate::anew, plan_.epoch == 0 ? "" : "the epoch has nothing of it");
      return;
    }
    const std::string wrong = misfit(found->second, component.role);
    if (wrong.empty()) {
      note(component.name, StateFate::restored, words_for(found->second));
    } else {
      note(component.name, StateFate::refused, wrong);
      refuse(fmt::format("{} \"{}\" cannot go on from epoch {}: {}: give it a name of its own",
                         component.kind, component.name, plan_.epoch, wrong));
    }
    kept_.erase(found);
  }

  /// A component that has a name much like that of one that begins anew may have been renamed.
  void drop(const std::string& name, const Kept& kept) {
    note(name, StateFate::dropped, words_for(kept));
    if (allow_drop_) return;
    std::vector<std::string> anew;
    for (const ComponentFate& other : plan_.components) {
      if (other.fate == StateFate::anew) anew.push_back(other.component);
    }
    const std::string near = nearest_word(name, anew);
    refuse(fmt::format(
        "component \"{}\" of epoch {} is not in the topology any more, and it kept {}: {}, or give "
        "--allow-drop to lose that",
        name, plan_.epoch, words_for(kept),
        near.empty() ? "put it back" : fmt::format("name \"{}\" so again", near)));
  }

  void note(const std::string& component, StateFate fate, std::string what) {
    plan_.components.push_back({component, fate, std::move(what)});
  }
  void refuse(std::string why) {
    plan_.problems.emplace_back(Code::state_mismatch, std::move(why));
  }

  std::span<const ComponentOutline> components_;
  bool allow_drop_;
  RestorePlan plan_;
  KeptByName kept_;  // what no component has been given yet
};

std::string_view word_for(StateFate fate) {
  switch (fate) {
    case StateFate::restored:
      return "goes on";
    case StateFate::anew:
      return "anew";
    case StateFate::dropped:
      return "dropped";
    default:
      return "refused";
  }
}

}  // namespace

RestorePlan plan_restore(const std::string& topology, std::span<const ComponentOutline> components,
                         const EpochImage* image, bool allow_drop) {
  return RestorePlanner(components, allow_drop).run(topology, image);
}

std::string to_text(const RestorePlan& plan) {
  std::string text =
      plan.epoch == 0 ? std::string("no epoch: all begins anew\n")
                      : fmt::format("epoch {} of {}\n", plan.epoch, format_iso_time(plan.taken_at));
  std::size_t width = 0;
  for (const ComponentFate& one : plan.components) width = std::max(width, one.component.size());
  for (const ComponentFate& one : plan.components) {
    text += fmt::format("  {:<{}}  {}{}{}\n", one.component, width, word_for(one.fate),
                        one.what.empty() ? "" : ": ", one.what);
  }
  return text;
}

}  // namespace millrace::detail
