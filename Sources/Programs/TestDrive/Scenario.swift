import Diagnostics
import SystemPackage
import WorkFiles

/// The work of the dom0 in one boot: files to provide, and shell commands to run one after the other.
package struct Scenario: Sendable, Equatable {
    /// One command, run by busybox's shell in `/payloads`, with standard input empty. Steps do not share variables.
    package struct Step: Sendable, Equatable {
        /// The step's name in the result: letters, digits, `_`, `.` and `-`; each name only once.
        package var id: String
        package var command: String

        package init(_ id: String, _ command: String) {
            self.id = id
            self.command = command
        }
    }

    /// The content of each file in `/payloads`, by its name there.
    package var files: [String: [UInt8]]
    package var steps: [Step]

    package init(files: [String: [UInt8]] = [:], steps: [Step] = []) {
        self.files = files
        self.steps = steps
    }

    /// Adds a step at the end.
    package mutating func step(_ id: String, _ command: String) {
        steps.append(Step(id, command))
    }

    /// Adds the file at `path`, under its own name or `name`. Throws `WorkFileError` when it can't be read.
    package mutating func take(_ path: FilePath, as name: String? = nil) throws {
        guard let name = name ?? path.lastComponent?.string else { throw StepError("\(path) names no file") }
        files[name] = try WorkFiles.read(path)
    }

    /// The actions of Xen's host tool on a payload.
    package enum HostToolAction: String, Sendable, CaseIterable {
        /// Uploads `/payloads/NAME.livepatch` and applies it.
        case load
        case upload, apply, revert, replace, unload

        /// The payload's state in `xen-livepatch list` after the action; `absent` if the list doesn't have it.
        var stateAfter: String {
            switch self {
            case .load, .apply, .replace: "APPLIED"
            case .upload, .revert: "CHECKED"
            case .unload: "absent"
            }
        }
    }

    /// Adds a step at the end: `xen-livepatch` does `action` with the payload `name`. While the hypervisor says that it is busy, the step tries
    /// again after a second, up to 20 attempts in all. The step's exit code is that of the last attempt.
    ///
    /// Xen gives up when its processors have not all come together within 30 ms. This happens on a busy machine that emulates them.
    /// An operator would try again, too.
    ///
    /// - Parameter verified: whether the step also fails, with a line that says so, when the tool ends with 0 but its list shows the
    ///   payload in another state than expected.
    /// - Throws: `StepError` for a name that the shell would not take as one word.
    package mutating func hostTool(_ id: String, _ action: HostToolAction, _ name: String, verified: Bool = false) throws {
        guard !name.isEmpty, name.utf8.allSatisfy(Self.mayBeInID), !name.hasPrefix("-") else {
            throw StepError("'\(name)' can't name a payload here: letters, digits, '_', '.' and '-' only", exitCode: .usage)
        }
        let attempt =
            switch action {
            case .upload: "xen-livepatch upload \(name) \(name).livepatch"
            // A failed load usually unloads the payload again. If it did not, the next attempt only applies the payload.
            case .load:
                "if xen-livepatch list | grep -q '^ *\(name) '; then xen-livepatch apply \(name); "
                    + "else xen-livepatch load \(name).livepatch; fi"
            case .apply, .revert, .replace, .unload: "xen-livepatch \(action.rawValue) \(name)"
            }
        // The tool's exit code 2 means "try again" (tools/misc/xen-livepatch.c, Xen 4.17); old versions end with EAGAIN or EBUSY itself.
        let attempts = """
            attempts=0
            while :; do
                \(attempt)
                code=$?
                attempts=$((attempts + 1))
                case $code in
                    2 | 11 | 16) [ $attempts -lt 20 ] || exit $code ;;
                    *) exit $code ;;
                esac
                sleep 1
            done
            """
        step(id, verified ? "(\n\(attempts)\n) || exit $?\n" + Self.verification(of: name, expected: action.stateAfter) : attempts)
    }

    /// Commands that fail unless the host tool's list shows a payload in the expected state.
    ///
    /// A row of the list is the name, padded to 40 columns, `| ` and the state (`list_func` of tools/misc/xen-livepatch.c). An empty list still
    /// has its heading; a tool that can't reach the hypervisor prints nothing, and ends with 0.
    private static func verification(of name: String, expected: String) -> String {
        """
        list=$(xen-livepatch list) && [ -n "$list" ] || {
            echo "xen-livepatch list says nothing of the payloads"
            exit 1
        }
        state=absent
        while read -r row; do
            case $row in
                "\(name) "* | "\(name)|"*)
                    state=${row#*| }
                    state=${state%% *}
                    break
                    ;;
            esac
        done <<END
        $list
        END
        [ "$state" = \(expected) ] && exit 0
        echo "xen-livepatch ended without an error, but in its list \(name) is $state, not \(expected)"
        exit 1
        """
    }

    /// The part of the initramfs that makes the dom0 run this scenario.
    ///
    /// Throws `StepError` for a step's id or a file's name that is not allowed.
    func archive() throws -> [UInt8] {
        var archive = CpioArchive()
        var seen: Set<String> = []
        archive.addFolder("scenario")
        for (index, step) in steps.enumerated() {
            guard !step.id.isEmpty, step.id.utf8.allSatisfy(Self.mayBeInID) else {
                throw StepError("'\(step.id)' can't name a step: letters, digits, '_', '.' and '-' only", exitCode: .usage)
            }
            guard seen.insert(step.id).inserted else { throw StepError("two steps are named \(step.id)", exitCode: .usage) }
            // The shell runs the steps in the order of their names.
            let position = String(index + 100_000)
            archive.addFile("scenario/\(position)-\(step.id)", Array((step.command + "\n").utf8))
        }
        for (name, content) in files.sorted(by: { $0.key < $1.key }) {
            guard !name.isEmpty, name != ".", name != "..", !name.contains("/") else {
                throw StepError("'\(name)' can't name a file in /payloads", exitCode: .usage)
            }
            archive.addFile("payloads/\(name)", content)
        }
        return archive.finished()
    }

    private static func mayBeInID(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default:
            false
        }
    }
}
