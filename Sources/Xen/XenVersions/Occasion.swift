/// What makes code of a running hypervisor run.
///
/// The functions named here are those of Xen 4.7 to 4.22 (`xen/arch/*`, `xen/common`). A name that a hypervisor lacks does no harm.
package enum Occasion: String, Sendable, Codable, CaseIterable {
    // What happens all the time, or whenever somebody asks for it.
    case hypercall
    case exit = "exit-or-trap"
    case interrupt
    case softirq
    case timer = "timer-or-tasklet"
    case idle
    case key = "key-handler"
    case control = "control-operation"
    case domainDestruction = "domain-destruction"
    case processorDown = "processor-down"
    // What leaves something behind that stays as it is: a processor, a domain, a machine that was woken up.
    case processorUp = "processor-up"
    case processorChange = "processor-up-or-down"
    case suspend
    case domainCreation = "domain-creation"
    case boot

    /// Whether what was there before keeps what the old code did, until this happens again.
    package var setsUpSomething: Bool {
        switch self {
        case .processorUp, .processorChange, .suspend, .domainCreation, .boot: true
        case .hypercall, .exit, .interrupt, .softirq, .timer, .idle, .key, .control, .domainDestruction, .processorDown: false
        }
    }

    /// The occasions whose code runs on this one as well: when a processor comes up for the first time, it gets an idle domain's virtual
    /// processor, and a machine that is woken up starts its processors. What happens on its own sets nothing up: that counts separately.
    package var leadsTo: Set<Occasion> {
        switch self {
        case .boot: [.boot]
        case .processorUp, .processorChange, .suspend: [.processorUp, .processorChange, .suspend, .domainCreation]
        case .hypercall, .exit, .interrupt, .softirq, .timer, .idle, .key, .control, .domainDestruction, .processorDown, .domainCreation: []
        }
    }

    /// When it happens. It completes "runs ...".
    package var words: String {
        switch self {
        case .hypercall: "in hypercalls"
        case .exit: "when a guest exits, or in traps"
        case .interrupt: "in interrupts"
        case .softirq: "in softirqs"
        case .timer: "in timers or tasklets"
        case .idle: "in the idle loop"
        case .key: "in key handlers"
        case .control: "in sysctl, domctl and platform operations"
        case .domainDestruction: "when a domain is destroyed"
        case .processorDown: "when a processor goes down"
        case .processorUp: "when a processor comes up"
        case .processorChange: "when a processor comes up or goes down"
        case .suspend: "when the machine is suspended or resumes"
        case .domainCreation: "when a domain is created"
        case .boot: "at boot"
        }
    }

    /// The functions that it begins with.
    package var entries: [String] {
        switch self {
        case .hypercall: ["pv_hypercall", "hvm_hypercall", "do_trap_hypercall", "arch_do_multicall_call", "pv_do_multicall_call", "hvm_do_multicall_call"]
        case .exit:
            [
                "vmx_vmexit_handler", "svm_vmexit_handler", "do_trap_guest_sync", "do_trap_hypervisor", "do_trap_hyp_sync", "do_trap_guest_serror",
                "do_trap_hyp_serror", "do_trap_data_abort", "do_trap_prefetch_abort", "do_trap_undefined_instruction", "enter_hypervisor_from_guest",
                "leave_hypervisor_to_guest", "leave_hypervisor_tail", "do_bad_mode", "do_unexpected_trap", "trap_guest_sync", "hyp_traps_vector",
                // Assembly code of x86.
                "handle_exception", "handle_ist_exception", "double_fault", "lstar_enter", "cstar_enter", "sysenter_entry", "entry_int80", "entry_int82",
                "int80_direct_trap", "vmx_asm_vmexit_handler", "vmx_asm_do_vmentry", "svm_asm_do_resume", "test_all_events", "compat_test_all_events",
                "restore_all_guest", "create_bounce_frame", "compat_create_bounce_frame", "continue_pv_domain", "ret_from_intr",
            ]
        case .interrupt: ["do_IRQ", "do_nmi", "common_interrupt", "handle_nmi", "gic_interrupt", "do_trap_irq", "do_trap_fiq"]
        case .softirq: ["do_softirq", "process_pending_softirqs"]
        case .timer: []
        case .idle: ["idle_loop", "startup_cpu_idle_loop"]
        case .key: ["handle_keypress"]
        case .control: ["do_sysctl", "do_domctl", "do_platform_op"]
        case .domainDestruction: ["domain_kill", "domain_destroy", "complete_domain_destroy"]
        case .processorDown: ["cpu_down", "cpu_down_helper", "play_dead", "stop_cpu"]
        case .processorUp: ["start_secondary", "cpu_up", "cpu_up_helper"]
        case .processorChange: []
        case .suspend: ["enter_state", "enter_state_helper", "do_suspend_lowlevel", "__ret_point", "s3_resume", "wakeup_start"]
        case .domainCreation: ["domain_create", "vcpu_create", "alloc_vcpu"]
        case .boot: ["start_xen", "__start_xen", "init_done"]
        }
    }

    /// The functions that are given another function, or a structure with pointers to functions, to be called on this occasion.
    package var registrars: [String] {
        switch self {
        case .hypercall: []
        case .exit:
            [
                "register_mmio_handler", "register_portio_handler", "relocate_portio_handler", "hvm_intercept", "register_g2m_portio_handler",
                "register_vpci_mmcfg_handler", "register_guest_nmi_callback",
            ]
        case .interrupt:
            [
                "request_irq", "setup_irq", "set_direct_apic_vector", "alloc_direct_apic_vector", "set_nmi_callback", "request_maintenance_interrupt",
                "serial_register_uart",
            ]
        case .softirq: ["open_softirq", "call_rcu"]
        case .timer: ["init_timer", "tasklet_init", "softirq_tasklet_init"]
        case .idle: []
        case .key: ["register_keyhandler", "register_irq_keyhandler", "serial_rx_handler", "serial_set_rx_handler"]
        case .control: ["hvm_register_savevm"]
        case .domainDestruction, .processorDown, .processorUp: []
        case .processorChange: ["register_cpu_notifier", "notifier_chain_register"]
        case .suspend, .domainCreation, .boot: []
        }
    }

    /// Functions that call at once what they are given, perhaps on other processors.
    package static let callers: Set<String> = [
        "on_selected_cpus", "smp_call_function", "on_each_cpu", "stop_machine_run", "continue_hypercall_on_cpu", "radix_tree_destroy", "rangeset_report_ranges",
        "rangeset_consume_ranges",
    ]

    /// Functions that read what they are given, and keep no address of it.
    package static let copiers: Set<String> = ["memcpy", "memmove", "__memcpy", "__memmove"]

    /// Arrays that linker scripts collect, and that code goes through from their first entry on: the labels there.
    package static let collectedArrays: Set<String> = [
        "__start_schedulers_array", "__start_vpci_array", "__paramhypfs_start", "__initcall_start", "__presmp_initcall_start", "__setup_start", "__param_start",
        "__ctors_start",
        "_sdevice", "_asdevice", "_splatform", "_steemediator", "_ateemediator",
    ]

    /// The labels of the hypervisor's own table of symbols (`xen/tools/symbols.c`).
    package static let symbolTables: Set<String> = ["symbols_addresses", "symbols_offsets", "symbols_names", "symbols_token_table", "symbols_token_index"]
}
