"""jupyter_kernel_test, the conformance suite of the Jupyter project.

Two of its tests do not apply, since no cell of ours shows a pager or clears its output: they are taken out, not skipped.
"""

import jupyter_kernel_test
import pytest
from conftest import run_on


@pytest.fixture(scope="module", autouse=True)
def kernelspec(kernelspec_env):
    """The suite finds the kernel by its name."""


class TestKernel(jupyter_kernel_test.KernelTests):
    kernel_name = "weir"
    language_name = "c"
    file_extension = ".c"

    code_hello_world = '#include <stdio.h>\nprintf("hello, world\\n");'
    code_stderr = '#include <stdio.h>\nfprintf(stderr, "oops\\n");'

    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "1 + 1", "result": "2"},
        {"code": "1.5 * 2", "result": "3.0"},
        {"code": '"text"', "result": '"text"'},
        {"code": "int a[3] = {1, 2, 3};\na", "result": "{1, 2, 3}"},
    ]
    code_generate_error = "int x = no_such_name;"

    complete_code_samples = ["int a = 1;", "a", "#include <stdio.h>", "int f(void)\n{\n    return 1;\n}", "%lsmagic",
                             'printf("}");', "/* } */"]
    incomplete_code_samples = ["int f(void)\n{", "(1 +", "/* begun", "for (int i = 0; i < 3; i++) {", "#define A \\"]
    invalid_code_samples = ["}", "f(]", "a[1)"]

    completion_samples = [{"text": "prin", "matches": {"printf"}}, {"text": "%lsm", "matches": {"%lsmagic"}}]
    code_inspect_sample = "printf"

    code_history_pattern = "1?+*"
    supported_history_operations = ("tail", "range", "search")

    code_display_data = [{"code": "%flow show", "mime": "text/html"}]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        run_on(cls.kc, "%%step only\nartifact int x = 1;")  # something for %flow show

    test_pager = None
    test_clear_output = None


class TestIopubWelcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "weir"
    support_iopub_welcome = True


