import SystemPackage
import WorkFiles

extension BuildSystemQuirks {
    /// Lets the script that makes `compat/xlat.h` (until 4.19) count and edit words without a process for each step. The script starts
    /// `expr` six thousand times and `sed` two thousand times, which is most of the work for the headers.
    static func spareProcesses(in top: FilePath) throws {
        let script = top.appending("xen/tools/get-fields.sh")
        guard case .regular(_, let executable) = try WorkFiles.kind(of: script) else { return }
        let text = try WorkFiles.read(script)
        try WorkFiles.remove(script)
        try WorkFiles.write(Array(shellFunctions.utf8) + text, to: script, executable: executable)
    }

    /// Shell functions named `expr` and `sed` that print what the programs print: for a sum of two numbers, with status 1 if the sum is
    /// 0, and for three of the sed scripts, line by line. All other calls go to the programs.
    static let shellFunctions = #"""
        expr () { case $#$2 in 3[+-]) set -- $(($1 $2 $3)); echo $1; test $1 != 0;; *) command expr "$@";; esac; }
        sed () {
        	case $#$1 in
        	'1s,\.,_,g') while IFS= read -r line; do
        		while case $line in *.*) ;; *) false;; esac; do line=${line%%.*}_${line#*.}; done
        		printf '%s\n' "$line"
        		done;;
        	'1s,^_pad[[:digit:]]*,,') while IFS= read -r line; do
        		case $line in
        		_pad*) line=${line#_pad}; while case $line in [0-9]*) ;; *) false;; esac; do line=${line#?}; done;;
        		esac
        		printf '%s\n' "$line"
        		done;;
        	'1s,[^{}],,g') while IFS= read -r line; do
        		kept= brace='[{}]'
        		while case $line in *$brace*) ;; *) false;; esac; do
        			line=${line#"${line%%$brace*}"}; kept=$kept${line%"${line#?}"}; line=${line#?}
        		done
        		printf '%s\n' "$kept"
        		done;;
        	*) command sed "$@";;
        	esac
        }

        """#
}
