/// Pairs of sources that differ where a plain declaration seems to be, and whose objects mean different things. Each was found by somebody who
/// looked for a hole, and compiled with GCC 12.
enum SourceDifferenceCases {
    /// What kind of hole it was, the original source, and the patched one.
    static let all: [(kind: String, original: String, patched: String)] = [
        (
            "A1_float64",
            #"""
            _Float64 *ext_f(int); 
            int keep(int a) { return *ext_f(a) + *ext_f(a); }
            """#,
            #"""
            _Float64 *ext_f(int); 
            static inline void un_used(void) { _Float64 *ext_f(int) __attribute__((__const__)); }
            int keep(int a) { return *ext_f(a) + *ext_f(a); }
            """#
        ),
        (
            "A2_msva",
            #"""
            __builtin_ms_va_list *ext_f(int); 
            int keep(int a) { return (ext_f(a) != 0) + 2*(ext_f(a) != 0); }
            """#,
            #"""
            __builtin_ms_va_list *ext_f(int); 
            static inline void un_used(void) { __builtin_ms_va_list *ext_f(int) __attribute__((__const__)); }
            int keep(int a) { return (ext_f(a) != 0) + 2*(ext_f(a) != 0); }
            """#
        ),
        (
            "A3_complex",
            #"""
            double _Complex *ext_f(int); 
            int keep(int a) { return ext_f(a) == ext_f(a+1) ? 1 : ext_f(a) == ext_f(a+1); }
            """#,
            #"""
            double _Complex *ext_f(int); 
            static inline void un_used(void) { __complex__ *ext_f(int) __attribute__((__const__)); }
            int keep(int a) { return ext_f(a) == ext_f(a+1) ? 1 : ext_f(a) == ext_f(a+1); }
            """#
        ),
        (
            "A4_dec",
            #"""
            _Decimal64 ext_f(int); struct s_s { _Decimal64 (*op)(int); };
            int keep(int a) { if (a) ext_f(a); return 7; }
            """#,
            #"""
            _Decimal64 ext_f(int); struct s_s { _Decimal64 (*op)(int); };
            static inline void un_used(void) { _Decimal64 (ext_f)(int) __attribute__((noreturn)); }
            int keep(int a) { if (a) ext_f(a); return 7; }
            """#
        ),
        (
            "A5_sysv",
            #"""
            __float128 *ext_f(int); 
            int keep(int a) { return ext_f(a) != 0; }
            """#,
            #"""
            __float128 *ext_f(int); 
            static inline void un_used(void) { __float128 *ext_f(int) __attribute__((visibility("hidden"))); }
            int keep(int a) { return ext_f(a) != 0; }
            """#
        ),
        (
            "A6_seg",
            #"""
            __seg_gs int *ext_f(int); 
            int keep(int a) { if (a) ext_f(a); return 7; }
            """#,
            #"""
            __seg_gs int *ext_f(int); 
            static inline void un_used(void) { __seg_gs *ext_f(int) __attribute__((noreturn)); }
            int keep(int a) { if (a) ext_f(a); return 7; }
            """#
        ),
        (
            "A7_defattr",
            #"""
            _Float64 *keep_f(int); 
            _Float64 *keep_f(int a) { return (void *)(long)a; }
            """#,
            #"""
            _Float64 *keep_f(int); 
            static inline void un_used(void) { _Float64 *keep_f(int) __attribute__((cold, aligned(64), section(".text.other"))); }
            _Float64 *keep_f(int a) { return (void *)(long)a; }
            """#
        ),
        (
            "B10_param",
            #"""
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#,
            #"""
            int f_f(int a[sizeof(g_g(1))]);
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#
        ),
        (
            "B11_ownexpr",
            #"""
            struct s_s { int g_g; };
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#,
            #"""
            struct s_s { int g_g; };
            static inline void un_used(struct q_q *g_g) { }
            static inline void un_used2(struct s_s *p_p) { p_p->g_g = 1; g_g(1); }
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#
        ),
        (
            "B1_member",
            #"""
            struct s_s { int g_g; };
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#,
            #"""
            struct s_s { int g_g; };
            static inline void un_used(void) { g_g(1); }
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#
        ),
        (
            "B3_filesizeof",
            #"""
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#,
            #"""
            extern char e_e[sizeof(g_g(1))];
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#
        ),
        (
            "B4_typeof",
            #"""
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#,
            #"""
            static inline void un_used(void) { __typeof__(g_g(1)) x = 1; }
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#
        ),
        (
            "B5_attr",
            #"""
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#,
            #"""
            extern int e_e __attribute__((aligned(sizeof(g_g(1)))));
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#
        ),
        (
            "B6_label",
            #"""
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#,
            #"""
            static inline int un_used(int a) { switch (a) { case sizeof(int) + sizeof g_g(1): return 1; } return 0; }
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#
        ),
        (
            "B7_enum",
            #"""
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#,
            #"""
            enum { A_A = sizeof(g_g(1)) };
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#
        ),
        (
            "B8_memberarr",
            #"""
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#,
            #"""
            struct o_o { int a[sizeof(g_g(1))]; };
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#
        ),
        (
            "B9_typedef",
            #"""
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#,
            #"""
            typedef __typeof__(g_g(1)) t_t;
            inline int g_g(int a) { return a + 5; } int keep(int a) { return g_g(a); }
            """#
        ),
        (
            "C1_tag",
            #"""
            typedef struct h_fn { int a; } h_s; typedef int h_fn(int); int ext_f(int);
            int keep(int a) { return ext_f(a) + ext_f(a); }
            """#,
            #"""
            typedef struct h_fn { int a; } h_s; typedef int h_fn(int); int ext_f(int);
            static inline void un_used(void) { h_fn ext_f __attribute__((__const__)); }
            int keep(int a) { return ext_f(a) + ext_f(a); }
            """#
        ),
        (
            "C2_enumtag",
            #"""
            struct o_o { int a; }; typedef enum h_fn { A_A, B_B } e_t; typedef void h_fn(int); void ext_f(int);
            int keep(int a) { if (a) ext_f(a); return 7; }
            """#,
            #"""
            struct o_o { int a; }; typedef enum h_fn { A_A, B_B } e_t; typedef void h_fn(int); void ext_f(int);
            static inline void un_used(void) { h_fn ext_f __attribute__((noreturn)); }
            int keep(int a) { if (a) ext_f(a); return 7; }
            """#
        ),
        (
            "C3_nested",
            #"""
            typedef struct { struct h_fn { int a; } x; } h_s; typedef int h_fn(int); int ext_f(int);
            int keep(int a) { if (a) ext_f(a); return 7; }
            """#,
            #"""
            typedef struct { struct h_fn { int a; } x; } h_s; typedef int h_fn(int); int ext_f(int);
            static inline void un_used(void) { h_fn ext_f __attribute__((noreturn)), *p_p = 0; (void)p_p; }
            int keep(int a) { if (a) ext_f(a); return 7; }
            """#
        ),
        (
            "C4_emit",
            #"""
            typedef struct h_fn { int a; } h_s; typedef int h_fn(int);
            inline int inl_f(int a) { return a + 5; }
            int keep(int a) { return a + 3; }
            """#,
            #"""
            typedef struct h_fn { int a; } h_s; typedef int h_fn(int);
            static inline void un_used(void) { h_fn inl_f; }
            inline int inl_f(int a) { return a + 5; }
            int keep(int a) { return a + 3; }
            """#
        ),
        (
            "D1_ternary",
            #"""
            int ext_f(int);
            int keep(int a) { return ext_f(a) + ext_f(a); }
            """#,
            #"""
            int ext_f(int);
            static inline int un_used(int a) { switch (a) { case 1 ? 2 : (3): int ext_f(int) __attribute__((__const__)); return 1; } return 0; }
            int keep(int a) { return ext_f(a) + ext_f(a); }
            """#
        ),
        (
            "D3_elvis",
            #"""
            int ext_f(int);
            int keep(int a) { return ext_f(a) + ext_f(a); }
            """#,
            #"""
            int ext_f(int);
            static inline int un_used(int a) { switch (a) { case 1 ?: 2: int ext_f(int) __attribute__((__const__)); return 1; } return 0; }
            int keep(int a) { return ext_f(a) + ext_f(a); }
            """#
        ),
        (
            "D4_range",
            #"""
            int ext_f(int a) ;
            int keep(int a) { if (a) ext_f(a); return 7; }
            """#,
            #"""
            int ext_f(int a) ;
            static inline int un_used(int a) { switch (a) { case sizeof(int) == 4 ? 1 : 2: int ext_f(int) __attribute__((noreturn)); return 1; } return 0; }
            int keep(int a) { if (a) ext_f(a); return 7; }
            """#
        ),
        (
            "D5_emit",
            #"""
            struct s_s { int (*inl_f)(int); };
            inline int inl_f(int a) { return a + 5; }
            int keep(int a) { return a + 3; }
            """#,
            #"""
            struct s_s { int (*inl_f)(int); };
            static inline int un_used(int a) { switch (a) { case 1 ?: 2: int inl_f(int); return 1; } return 0; }
            inline int inl_f(int a) { return a + 5; }
            int keep(int a) { return a + 3; }
            """#
        ),
        (
            "E1_attrstart",
            #"""
            int ext_f(int);
            int keep(int a) { return ext_f(a) + ext_f(a); }
            """#,
            #"""
            int ext_f(int);
            static inline void un_used(int a) { __attribute__((__const__)) ext_f(int); }
            int keep(int a) { return ext_f(a) + ext_f(a); }
            """#
        ),
        (
            "E2_star",
            #"""
            int *ext_f(int a) ;
            int keep(int a) { if (a) ext_f(a); return 7; }
            """#,
            #"""
            int *ext_f(int a) ;
            static inline int un_used(int a) { __attribute__((noreturn)) *ext_f(int); return 1; }
            int keep(int a) { if (a) ext_f(a); return 7; }
            """#
        ),
        (
            "F10_member",
            #"""
            int keep(void) { struct f_o *p = 0; struct f_o { int a; }; return _Generic(p, struct f_o *: 1, default: 2); }
            """#,
            #"""
            struct o_o { struct f_o *p; };
            int keep(void) { struct f_o *p = 0; struct f_o { int a; }; return _Generic(p, struct f_o *: 1, default: 2); }
            """#
        ),
        (
            "F11_typedef",
            #"""
            int keep(void) { struct f_o *p = 0; struct f_o { int a; }; return _Generic(p, struct f_o *: 1, default: 2); }
            """#,
            #"""
            typedef struct f_o f_ot;
            int keep(void) { struct f_o *p = 0; struct f_o { int a; }; return _Generic(p, struct f_o *: 1, default: 2); }
            """#
        ),
        (
            "F12_ret",
            #"""
            int keep(void) { struct f_o *p = 0; struct f_o { int a; }; return _Generic(p, struct f_o *: 1, default: 2); }
            """#,
            #"""
            static inline struct f_o *un_used(void) { return 0; }
            int keep(void) { struct f_o *p = 0; struct f_o { int a; }; return _Generic(p, struct f_o *: 1, default: 2); }
            """#
        ),
        (
            "F13_attr",
            #"""
            int keep(void) { struct f_o *p = 0; struct f_o { int a; }; return _Generic(p, struct f_o *: 1, default: 2); }
            """#,
            #"""
            extern int un_used __attribute__((aligned(sizeof(struct f_o *))));
            int keep(void) { struct f_o *p = 0; struct f_o { int a; }; return _Generic(p, struct f_o *: 1, default: 2); }
            """#
        ),
        (
            "F14_enumval",
            #"""
            int keep(void) { struct f_o *p = 0; struct f_o { int a; }; return _Generic(p, struct f_o *: 1, default: 2); }
            """#,
            #"""
            enum { A_A = sizeof(struct f_o *) };
            int keep(void) { struct f_o *p = 0; struct f_o { int a; }; return _Generic(p, struct f_o *: 1, default: 2); }
            """#
        ),
        (
            "F1_types",
            #"""
            int keep(void) { struct f_o *p; struct f_o { int a; }; return __builtin_types_compatible_p(__typeof__(p), struct f_o *); }
            """#,
            #"""
            extern struct f_o *u_u;
            int keep(void) { struct f_o *p; struct f_o { int a; }; return __builtin_types_compatible_p(__typeof__(p), struct f_o *); }
            """#
        ),
        (
            "F2_proto",
            #"""
            typedef int f_n(struct f_o *); struct f_o {int a;}; int keep(void){return __builtin_types_compatible_p(f_n, int(struct f_o*));}
            """#,
            #"""
            struct f_o;
            typedef int f_n(struct f_o *); struct f_o {int a;}; int keep(void){return __builtin_types_compatible_p(f_n, int(struct f_o*));}
            """#
        ),
        (
            "F5_cast",
            #"""
            int keep(void) { struct f_o *p; struct f_o { int a; }; return __builtin_types_compatible_p(__typeof__(p), struct f_o *); }
            """#,
            #"""
            extern char u_u[sizeof(struct f_o *)];
            int keep(void) { struct f_o *p; struct f_o { int a; }; return __builtin_types_compatible_p(__typeof__(p), struct f_o *); }
            """#
        ),
        (
            "F7_union",
            #"""
            int keep(void) { union f_o *p = 0; union f_o { int a; }; return _Generic(p, union f_o *: 1, default: 2); }
            """#,
            #"""
            union f_o;
            int keep(void) { union f_o *p = 0; union f_o { int a; }; return _Generic(p, union f_o *: 1, default: 2); }
            """#
        ),
        (
            "F8_scope",
            #"""
            typedef void cb_t(struct f_o **pp, long *q);
            struct f_o { int a; };
            int keep(void) { return __builtin_types_compatible_p(cb_t, void(struct f_o **, long *)); }
            """#,
            #"""
            struct f_o *un_used(void);
            typedef void cb_t(struct f_o **pp, long *q);
            struct f_o { int a; };
            int keep(void) { return __builtin_types_compatible_p(cb_t, void(struct f_o **, long *)); }
            """#
        ),
        (
            "F9_enum",
            #"""
            int keep(void) { enum f_o *p = 0; enum f_o { A_A }; return _Generic(p, enum f_o *: 1, default: 2); }
            """#,
            #"""
            extern enum f_o *un_used;
            int keep(void) { enum f_o *p = 0; enum f_o { A_A }; return _Generic(p, enum f_o *: 1, default: 2); }
            """#
        ),
        (
            "G1_typedef",
            #"""
            int ext_f(int);
            typedef int h_t(int);
            static inline void un_used(void) { h_t ext_f __attribute__((__const__)); }
            int keep(int a) { return ext_f(a) + ext_f(a); }
            """#,
            #"""
            int ext_f(int);
            typedef int h_t;
            static inline void un_used(void) { h_t ext_f __attribute__((__const__)); }
            int keep(int a) { return ext_f(a) + ext_f(a); }
            """#
        ),
        (
            "G4_aligned",
            #"""
            typedef int h_t(int);
            int ext_f(int);
            static inline void un_used(void) { h_t ext_f __attribute__((unused, aligned(64))); }
            int ext_f(int a) { return a + 3; }
            """#,
            #"""
            typedef int h_t;
            int ext_f(int);
            static inline void un_used(void) { h_t ext_f __attribute__((unused, aligned(64))); }
            int ext_f(int a) { return a + 3; }
            """#
        ),
        (
            "H1_semi",
            #"""
            struct __attribute__((packed)) { char c; int a; }
            v_v;
            int keep(void) { return sizeof(v_v); }
            """#,
            #"""
            struct __attribute__((packed)) { char c; int a; }
            ;
            v_v;
            int keep(void) { return sizeof(v_v); }
            """#
        ),
        (
            "H2_semi_typedef",
            #"""
            typedef struct __attribute__((packed)) { char c; int a; }
            v_v;
            int keep(void) { return sizeof(v_v); }
            """#,
            #"""
            typedef struct __attribute__((packed)) { char c; int a; }
            ;
            v_v;
            int keep(void) { return sizeof(v_v); }
            """#
        ),
        (
            "H3_enum",
            #"""
            enum __attribute__((packed)) { A_A, B_B }
            v_v;
            """#,
            #"""
            enum __attribute__((packed)) { A_A, B_B }
            ;
            v_v;
            """#
        ),
        (
            "H4_func",
            #"""
            struct __attribute__((packed)) { char c; int a; } 
            *f_f(int *a) { return (void *)a; }
            long keep(void) { return sizeof(*f_f(0)); }
            """#,
            #"""
            struct __attribute__((packed)) { char c; int a; } 
            ;
            *f_f(int *a) { return (void *)a; }
            long keep(void) { return sizeof(*f_f(0)); }
            """#
        ),
        (
            "H5_alias",
            #"""
            enum __attribute__((mode(DI))) { A_A }
            v_v = A_A, w_w;
            """#,
            #"""
            enum __attribute__((mode(DI))) { A_A }
            ;
            v_v = A_A, w_w;
            """#
        ),
        (
            "I1_split",
            #"""
            typedef struct __attribute__((packed)) { int a; } pk_t; pk_t *ext_f(int);
            int keep(int a) { return ext_f(a)->a + ext_f(a)->a; }
            """#,
            #"""
            typedef struct __attribute__((packed)) { int a; } pk_t; pk_t *ext_f(int);
            static inline void un_used(void) { pk_t *ext_f(int) __attribute__((__const__)); }
            int keep(int a) { return ext_f(a)->a + ext_f(a)->a; }
            """#
        ),
        (
            "I2_split_paren",
            #"""
            typedef struct __attribute__((packed)) { int a; } pk_t; pk_t ext_f(int);
            int keep(int a) { return ext_f(a).a + ext_f(a).a; }
            """#,
            #"""
            typedef struct __attribute__((packed)) { int a; } pk_t; pk_t ext_f(int);
            static inline void un_used(void) { pk_t (ext_f)(int) __attribute__((__const__)); }
            int keep(int a) { return ext_f(a).a + ext_f(a).a; }
            """#
        ),
        (
            "I4_noreturn",
            #"""
            typedef struct __attribute__((packed)) { int a; } pk_t; pk_t *ext_f(int);
            int keep(int a) { if (a) ext_f(a); return 7; }
            """#,
            #"""
            typedef struct __attribute__((packed)) { int a; } pk_t; pk_t *ext_f(int);
            static inline void un_used(void) { pk_t *ext_f(int) __attribute__((noreturn)); }
            int keep(int a) { if (a) ext_f(a); return 7; }
            """#
        ),
        (
            "I5_section",
            #"""
            typedef struct __attribute__((packed)) { int a; } pk_t; pk_t *keep_f(int);
            pk_t *keep_f(int a) { return (pk_t *)(long)a; }
            """#,
            #"""
            typedef struct __attribute__((packed)) { int a; } pk_t; pk_t *keep_f(int);
            static inline void un_used(void) { pk_t *keep_f(int) __attribute__((section(".text.cold"))); }
            pk_t *keep_f(int a) { return (pk_t *)(long)a; }
            """#
        ),
        (
            "J1_seg",
            #"""
            typedef int my_t;
            int keep(int a){return a+3;}
            """#,
            #"""
            typedef int my_t;
            __seg_gs my_t (v_v);
            int keep(int a){return a+3;}
            """#
        ),
        (
            "J2_seg_inline",
            #"""
            typedef int my_t;
            static inline __seg_gs my_t (*f_f(long a)) { return (__seg_gs int *)(a + 1); }
            __seg_gs int *keep(long a){ return f_f(a); }
            """#,
            #"""
            typedef int my_t;
            static inline __seg_gs my_t (*f_f(long a)) { return (__seg_gs int *)(a + 2); }
            __seg_gs int *keep(long a){ return f_f(a); }
            """#
        ),
        (
            "J3_seg_extern",
            #"""
            typedef int my_t;
            extern __seg_gs int v_v;
            int keep(void){ return v_v; }
            """#,
            #"""
            typedef int my_t;
            extern __seg_gs int v_v;
            extern __seg_gs my_t (v_v) __attribute__((visibility("hidden")));
            int keep(void){ return v_v; }
            """#
        ),
        (
            "K1_malloc",
            #"""
            extern void ext_g(void *); static void d_a(void *p) { ext_g(p); ext_g(p); } static void d_b(void *p) { ext_g(p); ext_g(p); }
            void (*const tab[])(void *) = { d_a, d_b };
            """#,
            #"""
            extern void ext_g(void *); static void d_a(void *p) { ext_g(p); ext_g(p); } static void d_b(void *p) { ext_g(p); ext_g(p); }
            void *al_f(int) __attribute__((malloc(d_a, 1)));
            void (*const tab[])(void *) = { d_a, d_b };
            """#
        ),
        (
            "K2_malloc_inl",
            #"""
            extern void ext_g(void *); static void d_a(void *p) { ext_g(p); }
            void keep(void *p) { d_a(p); }
            """#,
            #"""
            extern void ext_g(void *); static void d_a(void *p) { ext_g(p); }
            void *al_f(int) __attribute__((malloc(d_a)));
            void keep(void *p) { d_a(p); }
            """#
        ),
        (
            "L1_dollar",
            #"""
            static inline int my_b$c(void) { return 1; }
            int h_h(void) __attribute__((alias("my_b$c")));
            """#,
            #"""
            static inline int my_b$c(void) { return 2; }
            int h_h(void) __attribute__((alias("my_b$c")));
            """#
        ),
        (
            "L2_u8",
            #"""
            static inline int my_bc(void) { return 1; }
            int h_h(void) __attribute__((alias("my" u8"_bc")));
            """#,
            #"""
            static inline int my_bc(void) { return 2; }
            int h_h(void) __attribute__((alias("my" u8"_bc")));
            """#
        ),
        (
            "L3_ucn",
            #"""
            static inline int my_é(void) { return 1; }
            int h_h(void) __attribute__((alias("my_\u00e9")));
            """#,
            #"""
            static inline int my_é(void) { return 2; }
            int h_h(void) __attribute__((alias("my_\u00e9")));
            """#
        ),
        (
            "L4_pragmadollar",
            #"""
            static inline int my_b$c(void) { return 1; }
            #pragma weak h_h = my_b$c
            int keep(int a){return a+3;}
            """#,
            #"""
            static inline int my_b$c(void) { return 2; }
            #pragma weak h_h = my_b$c
            int keep(int a){return a+3;}
            """#
        ),
        (
            "R2_kr_tag",
            #"""
            struct f_o { int a; }; extern struct f_o *gl_p;
            int keep(a_a) struct f_o *a_a;
            { return __builtin_types_compatible_p(struct f_o *, __typeof__(gl_p)) ; }
            """#,
            #"""
            struct f_o { int a; }; extern struct f_o *gl_p;
            int keep(a_a) struct f_o *a_a;
            struct f_o;
            { return __builtin_types_compatible_p(struct f_o *, __typeof__(gl_p)) ; }
            """#
        ),
        (
            "R3_kr_enumtag",
            #"""
            struct f_o { int a; }; extern struct f_o *gl_p;
            int keep(a_a) int a_a;
            { return __builtin_types_compatible_p(struct f_o *, __typeof__(gl_p)) ; }
            """#,
            #"""
            struct f_o { int a; }; extern struct f_o *gl_p;
            int keep(a_a) int a_a;
            struct f_o;
            { return __builtin_types_compatible_p(struct f_o *, __typeof__(gl_p)) ; }
            """#
        ),
        (
            "W1_dollar_asmlabel",
            #"""
            static inline int my_b$c(void) { return 1; }
            static int h_h(void) __attribute__((weakref("my_b$c")));
            int keep(void) { return h_h(); }
            """#,
            #"""
            static inline int my_b$c(void) { return 2; }
            static int h_h(void) __attribute__((weakref("my_b$c")));
            int keep(void) { return h_h(); }
            """#
        ),
        (
            "W7_bigu",
            #"""
            static inline int my_éc(void) { return 1; }
            int h_h(void) __attribute__((alias("my_\U000000e9c")));
            """#,
            #"""
            static inline int my_éc(void) { return 2; }
            int h_h(void) __attribute__((alias("my_\U000000e9c")));
            """#
        ),
        (
            "W8_pragma_strings",
            #"""
            static inline int my_éc(void) { return 1; }
            #pragma weak h_h = my_\u00e9c
            int keep(int a){return a;}
            """#,
            #"""
            static inline int my_éc(void) { return 2; }
            #pragma weak h_h = my_\u00e9c
            int keep(int a){return a;}
            """#
        ),
    ]
}
