#include "insight/detail/word_lists.h"

#include <algorithm>
#include <array>

namespace rushes::insight {
namespace {

// clang-format off
constexpr std::array kLists{
    WordLists{
        "en",
        "a about above across actually after again against ago ah all almost along already alright also although always am among an and "
        "another any anybody anymore anyone anything anyway are aren't around as aside ask asked at away back basically be became "
        "because become becomes been before began begin begins behind being below best better between beyond big bit both bring brings brought but by call called calls "
        "came can can't cannot certain certainly come comes coming completely could couldn't course day definitely did didn't different do does doesn't "
        "doing don't done down during each easily easy eight either else end enough especially etc even eventually ever every everybody "
        "everyone everything exactly example far feel few find finally first five for found four from full further gave get gets "
        "getting give given gives go goes going gone gonna good got gotta great guess guy guys had hadn't half happen happens happened hard has hasn't "
        "have haven't having he he'd he'll he's hello help hence her here here's hers herself hey hi high him himself his how how's "
        "however hundred i i'd i'll i'm i've if in indeed instead into is isn't it it'd it'll it's its itself just keep keeps kept kind "
        "kinda knew know known knows large last late later least leave leaves left less let let's lets like little likely long look looked looking "
        "looks lot lots low made mainly make makes making many matter matters may maybe me mean means meant might mine minute minutes more most mostly move moves moved "
        "much must my myself near nearly need needed needs neither never new next nice nine no nobody none nor not nothing now "
        "nowhere of off often oh ok okay old on once one ones only onto open or other others otherwise ought our ours ourselves out over "
        "own part people per perhaps place please point pretty probably put puts putting quick quickly quite rather ready real really right run runs "
        "said same saw say saying says second seconds see seem seems seen set sets seven several shall she she'll she's should shouldn't show "
        "shown shows simply since six slightly slow slowly small so some somebody somehow someone something sometimes somewhat soon sort start "
        "started starting starts stay stays still stop stuff such sure take taken takes taking talk talking tell ten than thank thanks that "
        "that'll that's the their theirs them themselves then there there's therefore these they they'd they'll they're they've "
        "thing things think third this those though thought thousand three through throughout thus time times to today together told "
        "tomorrow too took top toward towards tried tries true truly try trying turn turns two type types uh um under unless "
        "until up upon us use used uses using usually various very via video videos wait wanna want wants was wasn't way ways we we'd we'll "
        "we're we've welcome well went were weren't what what's whatever when whenever where where's whereas wherever whether "
        "which while who who's whoever whole whom whose why will with within without won't work works would wouldn't yeah year years yes yesterday yet "
        "you you'd you'll you're you've your yours yourself yourselves hour hours week weeks month months days inside outside mile miles",
        "of the",
        "and but or so because then also this that these those it it's its they them their he she his her him there here however "
        "therefore such which too instead otherwise hence thus that's they're there's he's she's both either one another",
        "next finally first firstly second secondly third thirdly lastly now moving turning let's last meanwhile chapter part",
        " and "},
    WordLists{
        "de",
        "ab aber alle allem allen aller alles als also am an andere anderem anderen anderer anderes anders auch auf aus bei beim bereits besonders bevor bin bis "
        "bist bitte bleibt brauchen braucht brauchst bringt da dabei dadurch dafür dagegen daher damals damit danach daneben dann daran darauf daraus darf darin darum darunter "
        "das dass dasselbe davon davor dazu dein deine deinem deinen deiner dem den denen denn der deren des deshalb desto dessen "
        "dich die dies diese dieselbe diesem diesen dieser dieses dir doch dort drei du durch dürfen eben ebenso eher eigentlich ein "
        "eine einem einen einer eines einfach einige einigen einmal eins entweder er erst erste ersten es etwa etwas euch euer eure fast ganz ganze ganzen "
        "geben gegen geht gehen gemacht genau genug gerade gern gibt ging gleich gut gute guten hab habe haben hast hat hatte hatten heißt hier hin hinter ich "
        "ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer in indem ins irgendwie ist ja jede jedem jeden jeder jedes jedoch jemand jener jetzt "
        "kam kann kannst kaum kein keine keinem keinen keiner kommen kommt konnte können könnte lassen lässt machen macht mal man manche manchmal mehr mein meine meinem "
        "meinen meiner meist meistens mich mir mit möchte muss musst müssen nach nachdem natürlich neben nehmen nicht nichts nie niemand nimmt noch nun nur ob oben "
        "oder oft ohne paar schon sehr sei sein seine seinem seinen seiner seit selber selbst sich sicher sie sieht sind so sobald sogar solche solchen soll sollen "
        "sollte somit sondern sonst soweit sowie später steht stellen über um und uns unser unsere unserem unseren unter viel viele vielen vielleicht vom von "
        "vor vorher wann war waren warum was weil weiter weitere welche welchem welchen welcher welches wenig wenige weniger wenn wer werde "
        "werden wie wieder will wir wird wirklich wissen wo wobei wollen wurde wurden während wäre ziemlich zu zuerst zum zur zurück zusammen zwar zwei "
        "zweite zweiten zwischen größer große großen kleine kleinen neue neuen hallo danke video heute zeigt beginnt",
        "der des von",
        "und aber oder denn also dann er sie es das dies diese dieser dieses dieses sie ihm ihn ihre sein seine dort hier deshalb daher darum dadurch damit dabei "
        "trotzdem jedoch außerdem auch so dazu",
        "zunächst zuerst nun danach anschließend schließlich zuletzt erstens zweitens drittens jetzt kapitel teil",
        " und "},
    WordLists{
        "fr",
        "à afin ai ainsi alors après as assez au aucun aucune aujourd'hui auprès auquel aussi autant autre autres aux avaient avais avait avant avec "
        "avez avoir avons ayant beaucoup bien bon bonne bonjour car ce ceci cela celle celles celui cependant certain certaines certains ces cet cette ceux chaque "
        "chez chose choses ci combien comme comment contre d'abord d'un d'une dans de debout dedans dehors déjà depuis des désormais deux devant devrait dire dit doit doivent donc dont "
        "du durant elle elles en encore enfin ensuite entre est est-ce et étaient était étant été être eu eux faire fait faites faut fois font grand grande "
        "hors ici il ils j'ai je jusqu jusque l'on la là laquelle le lequel les lesquelles lesquels leur leurs loin lors lorsque lui ma maintenant mais "
        "malgré me même mêmes merci mes mettre mieux moins mon moment n'est ne ni non nos notre nous nouveau on ont ou où par parce parfois parmi partout pas pendant "
        "permet petit petite peu peut peuvent peux plus plusieurs plutôt pour pourquoi pourtant pouvez premier première près presque puis puisque qu'est qu'il qu'on quand quant "
        "que quel quelle quelles quelque quelques quels qui quoi rien s'il sa sans sauf se selon sera seront ses seul seulement si sinon soi "
        "soit sommes son sont sous souvent suis sur ta tandis tant te tel telle tellement tels tes toi ton toujours tous tout toute toutes "
        "très trois trop tu un une va vais vers veut veux voici voilà voir vont vos votre vous vraiment vu y c'est c'était d' l' qu' n' s' j' m' t' c' vidéo",
        "de du des la d'une d'un à",
        "et mais ou donc or car alors il elle ils elles ce cela ceci cette ces c'est celui celle ainsi aussi puis y en leur lui on pourtant cependant",
        "ensuite enfin premièrement deuxièmement d'abord maintenant passons chapitre partie finalement",
        " et "},
    WordLists{
        "es",
        "a acá además ahí ahora al algo alguien algún alguna algunas alguno algunos allá allí ambos ante antes apenas aquel aquella aquellas aquellos aquí "
        "así aún aunque bajo bastante bien buen bueno buenos cada casi como cómo con conmigo contra cosa cosas cual cuál cuales cualquier cuando cuándo cuanto cuatro da dan de "
        "deben debe decir del demás dentro desde después dice dicho donde dónde dos durante e el él ella ellas ellos en encima entonces entre era "
        "eran eras eres es esa esas ese eso esos esta está estaba están estar estas este esto estos estoy fue fueron fuera gracias gran grande ha haber había "
        "habían hace hacen hacer hacia haciendo han hasta hay hizo hola hoy igual ir la las le les lo los luego más me mediante mejor menos mi mientras mis mismo misma mismos "
        "mucha muchas mucho muchos muy nada nadie ni ningún ninguna ninguno no nos nosotros nuestra nuestras nuestro nuestros nueva nuevo nunca o os otra otras otro otros para parte "
        "pero pesar poca poco pocos podemos poder podría por porque pues puede pueden primer primera primero propio que qué quien quién quienes quiere se sea sean según ser será si sí sido siempre siendo "
        "sin sino sobre sois solamente solo sólo somos son soy su sus tal también tampoco tan tanto te tener tenemos tenía tiene tienen toda todas todavía todo "
        "todos tras tres tu tú tus un una unas uno unos usted ustedes va vamos van varias varios veces ver vez vosotros voy y ya yo video vídeo",
        "de del la las los el",
        "y pero o así él ella ellos ellas eso esto este esta estos estas ese esa también además entonces porque sin luego por su sus lo",
        "primero segundo tercero ahora después finalmente pasemos luego capítulo parte",
        " y "},
    WordLists{
        "it",
        "a ad adesso agli ai al alla alle allo allora altra altre altri altro anche ancora anni avere aveva bene c'è che chi ci ciao ciò come con cosa così cui da dagli dai dal dalla dalle "
        "dallo degli dei del dell' della delle dello dentro deve devono di dopo dove due e è ecco ed era erano essere fa fare fatto fino fra gli già ha hanno ho i il "
        "in invece io l' la le lei li lo loro lui ma mai me meno mentre mi mia mio molta molti molto ne negli nei nel nella nelle nello noi non nostra nostro o "
        "ogni oggi oppure ora per perché però più poco poi possiamo possono prima proprio può qua quale quali qualche quando quanto quasi quella quelle quelli quello questa queste "
        "questi questo qui quindi sarà se sei sempre senza si sia sono sopra sotto sta stata stato su sua sue sugli sui sul sulla sulle suo suoi tra tre troppo tu tutta "
        "tutte tutti tutto un un' una uno va vi viene voi vostra vostro grazie video",
        "di del della dei delle degli da",
        "e ma o però quindi allora questo questa questi lui lei essi loro ciò anche poi così",
        "prima poi adesso infine passiamo primo secondo terzo capitolo parte",
        " e "},
    WordLists{
        "pt",
        "a à ao aos agora ainda além algo alguém algum alguma alguns ali antes aos apenas aquela aquele aquilo aqui as às assim até bem cada com como contra da das de dela dele deles depois "
        "desde dessa desse desta deste deve devem disso do dois dos durante e é ela elas ele eles em enquanto então entre era eram essa essas esse esses esta está estamos "
        "estão estar estas este estes eu fazer faz feito foi foram há isso isto já la lá lhe lo logo mais mas me meio melhor menos mesmo meu minha muita muitas muito muitos na nada não nas "
        "nem nenhum nessa nesse nesta neste no nos nós nossa nosso nunca o olá onde os ou outra outras outro outros para parte pela pelas pelo pelos pode podem pois por porque pouco pra primeiro quais qual "
        "quando quanto que quem são se seja sem sempre ser será seu seus si sim só sob sobre sua suas também tão tem têm tempo ter teu toda todas todo todos três tu tua tudo um uma umas uns "
        "vai vamos você vocês obrigado vídeo",
        "de do da dos das",
        "e mas ou então ele ela eles elas isso isto este esta esse essa também assim porém porque depois",
        "primeiro segundo terceiro agora depois finalmente vamos capítulo parte",
        " e "},
    WordLists{
        "nl",
        "aan achter al alle alleen alles als altijd andere anders ben bij daar daarna daarom dan dat de deze die dit doen doet door dus echt een eens eerst eerste elk elke en er erg even "
        "gaan gaat geen geweest haar had hallo heb hebben heeft heel hem hen het hier hij hoe hun iemand iets ik in is ja je jij jou jouw jullie kan kon kunnen maar maken maakt meer men "
        "met mij mijn moet moeten na naar naast niet niets nieuwe nog nu of om omdat ons onze ook op over per toch toe tot tussen twee u uit uw vaak van vanaf veel "
        "voor vooral waar waarom wanneer want waren was wat we weer wel welke werd wie wij wil willen worden wordt zal ze zeer zelf zich zij zijn zo zoals zonder zou bedankt video",
        "van de",
        "en maar of dus want dan hij zij ze het dit dat deze die ook daar daarom daarna",
        "eerst vervolgens daarna tenslotte nu ten hoofdstuk deel",
        " en "},
    WordLists{
        "ru",
        "а без более больше будет будто бы был была были было быть в вам вас ваш ведь весь во вот все всё всегда всего всех вы где да даже для до другой его ее её если есть еще ещё же за затем "
        "здесь и из или им иногда их к как какая какой когда кто куда ли лучше между меня мне много может можно мой моя мы на над надо нас наш не него нее неё ней нельзя нет ни нибудь никогда ним них "
        "ничего но ну о об один одна одно он она они оно опять от очень перед по под после потом потому почти при про просто раз с сам самый себе себя сейчас со совсем так такой также там тебя тем теперь "
        "то тогда того тоже только том тот три тут ты у уж уже хорошо хоть чего чей чем через что чтобы чуть эта эти это этого этой этом этот эту я помощью насколько нужно видео сегодня которые который которая",
        "",
        "и а но или он она оно они это этот эта эти его её их поэтому также тоже потом там здесь",
        "теперь затем далее наконец сначала глава часть",
        " и "},
    WordLists{
        "zh",
        "我们 你们 他们 她们 它们 这个 那个 这些 那些 这样 那样 这里 那里 一个 一种 一些 可以 没有 什么 怎么 怎样 为什么 因为 所以 但是 不过 如果 就是 还是 或者 而且 并且 自己 大家 "
        "现在 时候 已经 非常 然后 最后 首先 其实 知道 觉得 需要 应该 可能 一样 一下 一直 之后 之前 以及 通过 对于 关于 由于 虽然 不是 不会 不能 很多 进行 使用 成为 开始 今天",
        "",
        "但是 所以 而且 因此 它 他 她 这 那 这个 这些 那些 它们 他们 然后",
        "首先 接下来 最后 其次 现在",
        "和"},
    WordLists{
        "ja",
        "小さな 大きな 人 間 これ それ あれ ここ そこ どこ こと もの ため よう とき 場合 私 私たち あなた 彼 彼女 今日 今 何 方 的 中 上 下",
        "の",
        "しかし そして また だから それ これ その この それで",
        "まず 次 次に 最後 最後に さて",
        "と"},
};
// clang-format on

}  // namespace

const WordLists* find_word_lists(std::string_view code) noexcept {
  const auto found = std::find_if(kLists.begin(), kLists.end(), [&](const auto& lists) { return lists.code == code; });
  return found == kLists.end() ? nullptr : &*found;
}

}  // namespace rushes::insight
