import Testing

@testable import XenBuild

@Suite struct ShellCommandsTests {
    private func commands(_ script: String) -> [ShellCommand] { shellCommands(in: Array(script.utf8)) }

    @Test(arguments: [
        ("cc -c a.c", ["cc", "-c", "a.c"]),
        ("cc '-DNAME=\"x y\"' \"-DB=\\\"c\\\"\" d\\ e", ["cc", "-DNAME=\"x y\"", "-DB=\"c\"", "d e"]),
        ("cc ''\"\" a'b'\"c\"", ["cc", "", "abc"]),
        ("cc a \\\n  b", ["cc", "a", "b"]),
        ("cc '$HOME' '*' \"\\$x\"", ["cc", "$HOME", "*", "$x"]),
        ("cc a # the rest; is a comment", ["cc", "a"]),
        ("cc a#b", ["cc", "a#b"]),
    ])
    func words(script: String, words: [String]) {
        #expect(commands(script) == [ShellCommand(words: words)])
    }

    @Test func operators() {
        #expect(
            commands("set -e; a b && c || d | e & (f; g)\nh").map(\.words)
                == [["set", "-e"], ["a", "b"], ["c"], ["d"], ["e"], ["f"], ["g"], ["h"]])
    }

    @Test(arguments: [
        "cc $x", "cc \"$x\"", "cc `date`", "cc $(date)", "cc *.c", "cc a?.c", "cc [ab].c", "cc ~/a.c", "cc < a", "cc > b", "cc 2>&1", "cc 'a", "cc \"a",
    ])
    func whatOnlyAShellCanTell(script: String) throws {
        #expect(try #require(commands(script).first).isPlain == false)
    }

    @Test func oneCommandThatIsNotPlainLeavesTheOthersPlain() {
        #expect(commands("a $b; c d; e > f").map(\.isPlain) == [false, true, false])
    }
}
