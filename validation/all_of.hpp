#pragma once

#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include <rapidcheck.h>

namespace assay::validation {

/// What a fixed check walks: a whole list or, once one of its elements has failed, that element.
template <typename Element>
struct Walk {
  std::vector<Element> elements;
  auto begin() const { return elements.begin(); }
  auto end() const { return elements.end(); }
};
template <typename Element>
std::ostream& operator<<(std::ostream& out, const Walk<Element>& walk) {
  if (walk.elements.size() == 1) return out << walk.elements.front();
  return out << "all " << walk.elements.size();
}

/// For a check that draws nothing but tries every element of a list, the simplest first:
///
///   for (const Case& each : *all_of(list, simpler).as("case")) probe.expect_reference(...);
///
/// One case walks them all. Where it fails it shrinks to the first element that fails alone, and then as that
/// element does: `simpler` gives its shrinks, each simpler than it is, the most drastic first.
template <typename Element, typename Simpler>
rc::Gen<Walk<Element>> all_of(std::vector<Element> list, Simpler simpler) {
  // Shared: what shrinks lazily keeps a copy for every candidate.
  const auto shared = std::make_shared<const std::vector<Element>>(std::move(list));
  const auto alone = [simpler](const Element& first) {
    return rc::shrinkable::shrinkRecur(Walk<Element>{{first}}, [simpler](const Walk<Element>& one) {
      std::vector<Walk<Element>> made;
      for (Element& next : simpler(one.elements.front())) made.push_back({{std::move(next)}});
      return rc::seq::fromContainer(std::move(made));
    });
  };
  return rc::Gen<Walk<Element>>([shared, alone](const rc::Random&, int) {
    return rc::shrinkable::shrink([shared] { return Walk<Element>{*shared}; },
                                  [alone](const Walk<Element>& all) {
                                    return rc::seq::map(rc::seq::fromContainer(all.elements), alone);
                                  });
  });
}

}  // namespace assay::validation
