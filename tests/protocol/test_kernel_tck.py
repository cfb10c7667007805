"""jupyter_kernel_test, the conformance suite of the Jupyter project: every test that it has, none skipped."""

import jupyter_kernel_test
import pytest


@pytest.fixture(scope="module", autouse=True)
def kernelspec(kernelspec_env):
    """The suite finds the kernel by its name."""


class WeirTests(jupyter_kernel_test.KernelTests):
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
    incomplete_code_samples = ["int f(void)\n{", "a = (1 +", "/* begun", 'for (int i = 0; i < 3; i++) {', "#define A \\"]
    invalid_code_samples = ["}", "f(]", "a[1)"]

    code_history_pattern = "1?+*"
    supported_history_operations = ("tail", "range", "search")


class WeirIopubWelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "weir"
    support_iopub_welcome = True


