//! Words that say nothing about a cluster.
//!
//! English only. Invariant: lists hold lower case words of at least three letters, as [`words`](super::words) gives them.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Frequent English words, sorted.
const ENGLISH: &str = "\
    able about above across act actually after again against all almost along already also although always among amp and \
    another any anybody anyone anything anyway apart are aren around away back became because become becomes been before \
    behind being below beside besides between beyond both but came can cannot cant certain com come consider containing \
    contains corresponding could couldn currently did didn different does doesn doing don done down during each either \
    else enough especially etc even ever every everyone everything example far few first five follow following follows \
    for form found four from further gave get gets getting give given gives goes going gone good got great had hadn \
    happen has hasn have haven having help hence her here hers herself him himself his how however html http https \
    including indeed instead into isn its itself just keep kept kind know known large last later least left less let like \
    little long look looking lot lower made main make makes making many may maybe mean means might mine more most mostly \
    much must mustn myself nbsp near need needs neither never new next nobody none nor not nothing now off often old once \
    one ones only onto other others our ours ourselves out over own part particular per perhaps please possible provide \
    provided provides put quite quot rather really relating right said same say says second see seem seems seen set \
    several shall she should shouldn show showed shown side since small some somebody someone something sometimes \
    somewhere sort state still such sure take taken takes tell than that the their theirs them themselves then there \
    therefore these they thing things this those though three through throughout thus time times together too took toward \
    towards try two type under unless until upon upper use used useful uses using usually various very via want wants was \
    wasn way ways well went were weren what whatever when where whether which while who whole whom whose why will with \
    within without won work would wouldn www yes yet you your yours yourself";

/// Keywords and habitual names of programming languages, sorted.
const KEYWORDS: &str = "\
    abstract arg args argv arr assert async auto await bool boolean break case cast catch char class cls const constexpr \
    continue def default defer del delete elif else elseif end enum err error except export extends extern false final \
    finally fixed float fmt foreach from func function global goto impl implements import include inline instanceof int \
    integer interface isinstance iter kwargs lambda len let long loop match mod module move mut namespace new nil none \
    null nullptr obj object operator override package param params pass print println private protected ptr pub public \
    raise range ref register require return self short signed sizeof static std str string struct super switch template \
    this throw throws trait true try tuple typedef typeof undefined union unsafe unsigned usize val value values var vec \
    void volatile where while yield";

static ENGLISH_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| ENGLISH.split_ascii_whitespace().collect());
static KEYWORD_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| KEYWORDS.split_ascii_whitespace().collect());

/// Whether a word is left out of names.
pub(super) fn is_stop_word(word: &str, keywords_too: bool) -> bool {
    ENGLISH_SET.contains(word) || keywords_too && KEYWORD_SET.contains(word)
}
