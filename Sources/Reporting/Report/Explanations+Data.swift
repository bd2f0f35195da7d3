/// What the comparison of the objects finds about variables, constants and types.
extension DiagnosticExplanation {
    private static let useAnother = "Leave the old variable alone, add a new one under another name, and let the changed functions use that."

    static let dataInitialiserChanged = DiagnosticExplanation(
        "the initial value of an existing variable changed",
        [.error("An existing variable has another initial value, in the file that had it or in the one that it moves to.")],
        meaning: "The variable lives in the running hypervisor and keeps the value that it has now. The new initial value would be left out "
            + "without anyone noticing.",
        example: "static unsigned int limit = 16; becomes static unsigned int limit = 32;",
        advice: "Set the new value when the payload is applied, in a function registered with LIVEPATCH_LOAD_HOOK. Consider setting the old "
            + "one in an unload hook.")

    static let dataSizeChanged = DiagnosticExplanation(
        "an existing variable has another size",
        [.error("An existing variable has another size, in the file that had it or in the one that it moves to.")],
        meaning: "The variable lives in the running hypervisor, between its neighbours. Code that relies on the new size would read or write "
            + "past its end.",
        example: "A static array that grows from 8 to 16 elements.",
        advice: useAnother)

    static let dataTypeChanged = DiagnosticExplanation(
        "an existing variable has another type of the same size",
        [.error("An existing variable gets another type, and its size stays the same.")],
        meaning: "The running hypervisor wrote the variable's value as the old type. Changed code would take it for something else.",
        example: "static struct timer *pending; becomes static struct work *pending;",
        advice: useAnother)

    static let constantMadeVariable = DiagnosticExplanation(
        "a constant becomes a variable",
        [.error("A constant of the hypervisor becomes a variable.")],
        meaning: "The running hypervisor has it in memory that nothing may write to. Code of the payload that sets the variable would fault.",
        example: "static const unsigned int limit = 16; becomes static unsigned int limit = 16;",
        advice: "Leave the constant alone, add a variable under another name, and let the changed functions use that.")

    static let layoutChanged = DiagnosticExplanation(
        "a type in use has another layout",
        [
            .error("A struct, union or enum has another size, or one of its members or values moved, changed its size or is gone."),
            .warning("A type has another layout, and --allow-layout-change names it."),
            .warning("A type has another layout, and lives only on the stack of functions that the payload includes."),
        ],
        meaning: "Objects with the old layout may exist in the running hypervisor. Code of the payload would misread them, and functions that "
            + "stay would misread those that the payload makes. The table shows where each member was, and where it is now.",
        example: "A patch that adds a counter in the middle of struct domain.",
        advice: "Leave the type as it is. Keep the new value in a variable of its own: an array indexed by domain or processor, for example, or a "
            + "table that is looked up by the object's address. Or put the new member into padding, where nothing else moves. If no object of "
            + "the old layout exists when the payload is applied, and none of the new one when it is reverted, --allow-layout-change TYPE "
            + "lets it pass.")

    static let layoutMemberRetyped = DiagnosticExplanation(
        "a member has another type of the same size",
        [.warning("A member of a struct or union gets another type, and its place and size stay the same.")],
        meaning: "What the running hypervisor stored there has the old type, and changed code takes it for the new one. What changed code stores "
            + "there is taken for the old type by functions that stay.",
        example: "unsigned int timeout; becomes int timeout; in struct domain.",
        advice: "Check that every value that can be stored there means the same in both types. To read a value differently, do it in a "
            + "function, and leave the type as it is.")

    static let layoutPaddingUsed = DiagnosticExplanation(
        "a type has new members where nothing was before",
        [.warning("A type has a new member in padding, in spare bits or beside others in a union, and nothing that it had before moved.")],
        meaning: "Objects that exist already have something there: mostly zero, but nothing guarantees that. Functions that stay do not know the "
            + "new member.",
        example: "A bool added behind another one in struct vcpu, where three bytes were unused.",
        advice: "Check how objects of the type are made: those that are cleared when they are allocated have zero there. Let zero mean what "
            + "the old code did, or write the member of all existing objects in a load hook.")

    static let layoutValuesAdded = DiagnosticExplanation(
        "an enum has new values",
        [.warning("An enum has new values, and those that it had before keep their numbers.")],
        meaning: "Functions that stay do not know the new values. They may take one for an error, or use it as an index past the end of a table.",
        example: "An enum of states that gets one more state at its end.",
        advice: "Check that no unchanged function can meet a new value, or that it does the right thing with one.")

    static let layoutKept = DiagnosticExplanation(
        "a type is declared in another way, with the same layout",
        [
            .note("A struct or union has other names, other nesting or other types, and every value in it lies where it was."),
            .note("A variable has another type, and every value in it lies where it was."),
        ],
        meaning: "Old and new code read and write the same bits in the same way. Only the source looks different: a member has another name, "
            + "char t[0] became char t[], or u64 became a struct with one u64 in it.",
        example: "u64 bits; becomes struct { u64 raw; } bits; in struct vcpu.",
        advice: "Nothing, unless a new name stands for a new meaning: objects that exist hold values with the old one.")

    static let layoutNotChanged = DiagnosticExplanation(
        "a type that is allowed to change does not",
        [
            .warning("--allow-layout-change names a type whose layout the patch does not change."),
            .warning("--allow-layout-change names a type that changes only because it contains another one."),
        ],
        meaning: "The option has no effect. A wrong name lets nothing pass.",
        example: "--allow-layout-change 'struct domian'",
        advice: "Check the spelling: the name is the one in the first line of the refusal. Leave the option out if the patch does not need it.")

    static let layoutsNotCompared = DiagnosticExplanation(
        "the layouts of types could not be compared",
        [
            .error("An object whose code changes has no debug information about types, or not all of it; a payload would be made of it."),
            .warning("The same, in objects given to diff."),
            .warning("One of two objects given to diff only declares a type that the other one defines."),
        ],
        meaning: "Whether a struct, union or enum has another layout is read from debug information. Without it a change of layout would "
            + "pass unseen, and old and new code would misread each other's data.",
        example: "CC='gcc -gsplit-dwarf', which puts the types into .dwo files that the program does not keep.",
        advice: "Compile with -g, and leave out of CC and CFLAGS the options that move or leave out types: -g0, -g1, -gline-tables-only, "
            + "-gsplit-dwarf, -femit-struct-debug-baseonly, -femit-struct-debug-reduced. Do not strip the objects. Types in type units "
            + "(-fdebug-types-section) are read. For diff, keep .dwo files where the compiler wrote them.")

    static let constantTableChanged = DiagnosticExplanation(
        "a constant table changed that can't be replaced everywhere",
        [
            .error("A global constant changed, in the file that had it or in the one that it moves to, and other objects can refer to it."),
            .error(
                "Something may have kept the address of a changed constant: boot code had it, or a function does more with it than to read "
                    + "from it."),
            .error("A constant changed, and nothing in its object refers to it, so that no changed function brings it into the payload."),
            .warning("A constant of a function changed, and nothing in its object refers to it."),
            .warning("Another constant points to a changed constant, and what functions do with that pointer is not followed."),
            .warning("New constants take the place of one whose address something may have kept, or it moves to another file."),
        ],
        meaning: "The payload has a copy of a changed constant, and includes all functions of its object that refer to it. Whatever kept the old "
            + "address still reads the old constant.",
        example: "A new entry in a const table of operations, a pointer to which is kept in every domain.",
        advice: "Change the functions that read the table instead, or update the stored pointers in a load hook.")

    static let dataLeftBehind = DiagnosticExplanation(
        "a variable is no longer used",
        [.note("A variable of the running hypervisor is not in the patched object any more.")],
        meaning: "The running hypervisor still has the variable, with its value. After a revert the old code uses it again.",
        example: "A static counter that the patch removes.",
        advice: "Nothing, unless the variable holds a resource that must be released.")

    static let perCPUAdded = DiagnosticExplanation(
        "a new per-CPU variable",
        [.error("The patch adds a per-CPU variable.")],
        meaning: "The hypervisor lays out the per-CPU areas when it boots. A loaded payload gets none of its own.",
        example: "static DEFINE_PER_CPU(unsigned int, last_vector);",
        advice: "Use an array with one element for each possible CPU, NR_CPUS long, indexed by smp_processor_id().")

    static let perCPUChanged = DiagnosticExplanation(
        "an existing per-CPU variable changed",
        [.error("An existing per-CPU variable has another size or initial value, or an ordinary variable becomes one.")],
        meaning: "The hypervisor lays out the per-CPU areas when it boots. Each processor has the variable already, as it was before the patch.",
        example: "static DEFINE_PER_CPU(unsigned int, count); becomes static DEFINE_PER_CPU(unsigned long, count);",
        advice: "Leave the variable as it is. Keep the new value in an array with one element for each possible CPU, NR_CPUS long, indexed by "
            + "smp_processor_id().")

    static let correlationAmbiguous = DiagnosticExplanation(
        "a variable that may be one of the hypervisor's",
        [
            .error("A variable may be new, or may be one of several variables of that name in the original object."),
            .error("A variable has names, such as aliases, that belonged to several variables of the original object."),
            .error("A variable is new in one file and gone from another, and is static in at least one of them."),
            .error("A label without a size, in the data of top-level assembly, moves to another place of that data."),
            .warning("A static local is taken to be one of the hypervisor's, although the patch changes or moves the line that declares it."),
            .warning("A variable is taken to be one of the hypervisor's because of its name alone: debug info does not mention it."),
            .note("A static local is taken to be one of the hypervisor's: the patch replaces the line that declares it by one with the same words."),
        ],
        meaning: "To take a variable for the wrong one mixes up two values. To take one of the hypervisor's for a new one loses its value.",
        example: "Two static locals of the same name in one function, one of which the patch moves.",
        advice: "Give the variables different names, or leave the lines that declare them alone. If the message is a warning, check that the variable is "
            + "the one that it names.")

    static let variableStartsAnew = DiagnosticExplanation(
        "a new variable does not take over the value of an old one",
        [
            .warning("A new variable has the name of one that is gone, which was declared in another place or freed after boot."),
            .warning("The patch replaces the declaration of a variable by one with another name."),
        ],
        meaning: "The new variable lies in the payload and starts with its initial value. It does not get the value of the old one.",
        example: "static unsigned int count; moves from one function to another.",
        advice: "If the value matters, leave the declaration in the function that has it.")

    static let runningValueUnused = DiagnosticExplanation(
        "the new code does not see a variable's running value",
        [
            .warning(
                "The patched source still has a static variable, but nothing writes it any more, or nothing reads it, and the compiler gives it no storage."),
            .warning("Nothing writes a static array any more, and the compiler makes it a constant."),
            .warning("A static variable is gone, and the patch declares one of its name in another way or place, which nothing writes."),
        ],
        meaning: "A compiler that finds no write to a static variable uses its initial value wherever the code reads it. The value that the running hypervisor "
            + "has in the variable no longer counts. After a revert the old code uses it again.",
        example: "static int current_offset = 0; whose last assignment the patch removes, while another line still reads it.",
        advice: "If the hypervisor's value matters, let the code go on writing the variable, or declare it volatile. If not, there is nothing to do.")
}
