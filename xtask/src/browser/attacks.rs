//! Markup that runs a script or asks for something, if a browser takes it for markup.
//!
//! Owns the list and how a mark is written; must not know where it is put or who looks.

/// What the hosts that attacks ask end in. No resolver knows such a name.
pub(super) const HOSTS: &str = ".mark.invalid";

/// The attribute of the root that scripts write their hosts to.
pub(super) const RAN: &str = "data-ran=";

/// One attack.
pub(super) struct Attack {
    pub(super) name: &'static str,
    /// `{U}` stands for an address, `{J}` for a script without quotes, `{H}` for the host.
    markup: &'static str,
    /// What it must stand between to act: it breaks out of an attribute, or is an address.
    pub(super) within: (&'static str, &'static str),
    /// No policy in a page can stop it, so that only escaping does.
    pub(super) passes_policy: bool,
}

const fn text(name: &'static str, markup: &'static str) -> Attack {
    Attack {
        name,
        markup,
        within: ("", ""),
        passes_policy: false,
    }
}

const fn passing(name: &'static str, markup: &'static str) -> Attack {
    Attack {
        passes_policy: true,
        ..text(name, markup)
    }
}

const fn inside(
    name: &'static str,
    before: &'static str,
    markup: &'static str,
    after: &'static str,
) -> Attack {
    Attack {
        within: (before, after),
        ..text(name, markup)
    }
}

/// All attacks. Each acts in a page that holds nothing back, or the run fails.
pub(super) const ATTACKS: &[Attack] = &[
    text("script", "<script>{J}</script>"),
    text("script-module", "<script type=module>{J}</script>"),
    text("script-src", "<script src={U}></script>"),
    text(
        "break-out",
        "--></pre></p></title></style></textarea></noscript><script>{J}</script>",
    ),
    text("img-src", "<img src={U}>"),
    text("img-srcset", "<img srcset=\"{U} 1x\">"),
    text("img-onerror", "<img src=x: onerror=\"{J}\">"),
    text("video-poster", "<video poster={U}></video>"),
    text("audio-src", "<audio autoplay src={U}></audio>"),
    text("object-data", "<object data={U}></object>"),
    text("embed-src", "<embed src={U}>"),
    text("input-image", "<input type=image src={U}>"),
    text(
        "table-background",
        "<table background={U}><tr><td>x</table>",
    ),
    text("link-stylesheet", "<link rel=stylesheet href={U}>"),
    text("link-preload", "<link rel=preload as=image href={U}>"),
    passing("link-preconnect", "<link rel=preconnect href=https://{H}/>"),
    text("style-import", "<style>@import url({U});</style>"),
    text("style-rule", "<style>html{background:url({U})}</style>"),
    text("style-attribute", "<p style=\"background:url({U})\">x</p>"),
    text("svg-onload", "<svg onload=\"{J}\"></svg>"),
    text("svg-script", "<svg><script>{J}</script></svg>"),
    text(
        "svg-image",
        "<svg><image href={U} width=9 height=9 /></svg>",
    ),
    text(
        "svg-animate",
        "<svg><animate onbegin=\"{J}\" attributeName=x dur=1s /></svg>",
    ),
    text("iframe-src", "<iframe src={U}></iframe>"),
    text(
        "iframe-srcdoc",
        "<iframe srcdoc=\"<script>{J}</script>\"></iframe>",
    ),
    text(
        "iframe-javascript",
        "<iframe src=\"javascript:{J}\"></iframe>",
    ),
    passing(
        "meta-refresh",
        "<meta http-equiv=refresh content=\"0;url={U}\">",
    ),
    text("base", "<base href={U}><img src=x.png>"),
    text("body-onload", "<body onload=\"{J}\">"),
    text("details", "<details open ontoggle=\"{J}\">x</details>"),
    text("base-click", "<base href={U}><a href=x>x</a>"),
    passing("link-click", "<a href={U}>x</a>"),
    text("javascript-click", "<a href=\"javascript:{J}\">x</a>"),
    text("form-click", "<form action={U}><button>x</button></form>"),
    text(
        "formaction-click",
        "<form><button formaction=\"javascript:{J}\">x</button></form>",
    ),
    text("focus", "<input autofocus onfocus=\"{J}\">"),
    text("quote-and-tag", "\"'><img src={U}>"),
    inside(
        "double-quote",
        "<p class=\"",
        "\" onmouseover=\"{J}",
        "\">x",
    ),
    inside("single-quote", "<p class='", "' onclick='{J}", "'>x"),
    inside("no-quote", "<p class=", "x onclick={J} ", ">x"),
    inside(
        "quote-and-style",
        "<p class=\"",
        "\" style=\"background:url({U})",
        "\">x",
    ),
    inside("address", "<img src=\"", "{U}", "\">"),
    Attack {
        passes_policy: true,
        ..inside("address-of-link", "<a href=\"", "{U}", "\">x</a>")
    },
    inside(
        "javascript-address",
        "<a href=\"",
        "javascript:{J}",
        "\">x</a>",
    ),
];

/// The host that an attack at a place asks, or writes to the root.
pub(super) fn host(place: usize, attack: usize) -> String {
    format!("p{place}a{attack}{HOSTS}")
}

/// An attack's markup with the marks of a place.
pub(super) fn markup(place: usize, attack: usize) -> String {
    let host = host(place, attack);
    // Without blanks, quotes and angle brackets, so that it is whole in any place. Frames share their page's root.
    let script = format!(
        "top.document.documentElement.dataset.ran+=`{host}`;new/**/Image().src=`http://{host}/`"
    );
    ATTACKS[attack]
        .markup
        .replace("{U}", &format!("http://{host}/"))
        .replace("{J}", &script)
        .replace("{H}", &host)
}
