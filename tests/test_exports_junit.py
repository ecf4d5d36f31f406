"""JUnit XML as the schema that pytest tests itself against wants it."""

import re
import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from grader.exports.junit import Case, Suite, junit_xml

TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?")
SUITE = {"name", "tests", "failures", "errors"}
MORE = {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log"}


def held_against_the_schema(text: str) -> ET.Element:
    """pytest-dev/pytest testing/example_scripts/junit-10.xsd: `testsuites` holds only `testsuite`;
    that one has `use="required"` name, tests, failures and errors, and a time of SUREFIRE_TIME;
    a `testcase` has a required name, beside it time, classname and group, and in it only
    `skipped`, `errors`, `failure`, reruns and outputs; these have a type and a message.
    """
    root = ET.fromstring(text.encode("utf-8"))
    assert root.tag == "testsuites"
    for suite in root:
        assert suite.tag == "testsuite"
        assert set(suite.attrib) >= SUITE and set(suite.attrib) <= SUITE | MORE
        assert TIME.fullmatch(suite.attrib["time"])
        for case in suite:
            assert case.tag == "testcase" and "name" in case.attrib
            assert set(case.attrib) <= {"name", "time", "classname", "group"}
            for said in case:
                assert said.tag in ("skipped", "failure")
                assert set(said.attrib) <= {"type", "message"}
    return root


outcomes = st.sampled_from(["passed", "failed", "error", "skipped"])
texts = st.text(st.characters(exclude_categories=()), max_size=30)
cases = st.builds(Case, suite=texts, name=texts, outcome=outcomes, said=texts)


@given(st.lists(cases, max_size=5).map(tuple), texts)
def test_whatever_is_said_it_is_valid_and_counts_are_right(
    listed: tuple[Case, ...], name: str
) -> None:
    root = held_against_the_schema(junit_xml([Suite(name=name, cases=listed)]))
    (suite,) = root
    assert suite.attrib["tests"] == str(len(suite)) == str(len(listed))
    failed = sum(each.outcome in ("failed", "error") for each in listed)
    assert suite.attrib["failures"] == str(failed) == str(len(root.findall(".//failure")))
    assert suite.attrib["skipped"] == str(len(root.findall(".//skipped")))
