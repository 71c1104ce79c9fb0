<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>JepaGfm</name>
    <message>
        <source>{name} from a file</source>
        <translation>{name} aus einer Datei</translation>
    </message>
    <message>
        <source>Instead of the choice above.</source>
        <translation>Anstelle der Auswahl oben.</translation>
    </message>
    <message>
        <source>The expression {text} chooses {which} of the labels; mend it.</source>
        <translation>Der Ausdruck {text} wählt {which} Labels aus; bitte ändern Sie ihn.</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>The expression {text} cannot be read ({reason}); mend it.</source>
        <translation>Der Ausdruck {text} kann nicht gelesen werden ({reason}); bitte korrigieren Sie ihn.</translation>
    </message>
    <message>
        <source>The expression {text} cannot be evaluated ({reason}); mend it.</source>
        <translation>Der Ausdruck {text} kann nicht ausgewertet werden ({reason}); bitte korrigieren Sie ihn.</translation>
    </message>
    <message>
        <source>The labels {name} cannot be handed to the worker ({reason}); save the layer as a GeoPackage.</source>
        <translation>Die Labels {name} können dem Worker nicht übergeben werden ({reason}); speichern Sie den Layer als GeoPackage.</translation>
    </message>
    <message>
        <source>Labels from a raster</source>
        <translation>Labels aus einem Raster</translation>
    </message>
    <message>
        <source>A raster whose values are classes, instead of polygons or points.</source>
        <translation>Ein Raster, dessen Werte Klassen sind, anstelle von Polygonen oder Punkten.</translation>
    </message>
    <message>
        <source>Known values from a raster</source>
        <translation>Bekannte Werte aus einem Raster</translation>
    </message>
    <message>
        <source>A raster of the number, instead of points or polygons.</source>
        <translation>Ein Raster der Zahl, anstelle von Punkten oder Polygonen.</translation>
    </message>
    <message>
        <source>Choose the Sentinel-2 files at 10, 20 and 60 m of one place and run: every 20 m cell becomes a vector, and the layer shows its three strongest bands as colours.</source>
        <translation>Wählen Sie die Sentinel-2-Dateien eines Ortes mit 10, 20 und 60 m und starten Sie: Jede Zelle von 20 m wird zu einem Vektor, und der Layer zeigt seine drei stärksten Kanäle als Farben.</translation>
    </message>
    <message>
        <source>Choose the same files, or an embedding of them, a layer of polygons as labels and its class field, and run: the map opens with the classes&apos; names and colours, and the report with the scores.</source>
        <translation>Wählen Sie dieselben Dateien oder ein Embedding davon, einen Polygonlayer als Labels und dessen Klassenfeld und starten Sie: Die Karte öffnet sich mit den Namen und Farben der Klassen, der Bericht mit den Gütemaßen.</translation>
    </message>
    <message>
        <source>Choose the rasters of another year and the classifier that Classify land cover kept in a file, and run.</source>
        <translation>Wählen Sie die Raster eines anderen Jahres und den Klassifikator, den „Landbedeckung klassifizieren“ in einer Datei aufbewahrt hat, und starten Sie.</translation>
    </message>
    <message>
        <source>Draw three polygons around solar parks, choose them and an embedding of the county, and run: the places are a layer to step through, the surest first.</source>
        <translation>Zeichnen Sie drei Polygone um Solarparks, wählen Sie diese und ein Embedding des Landkreises und starten Sie: Die Fundstellen bilden einen Layer zum Durchgehen, die sichersten zuerst.</translation>
    </message>
    <message>
        <source>Choose the rasters before a storm and those after it, and run: what changed is a layer of polygons.</source>
        <translation>Wählen Sie die Raster vor einem Sturm und die danach und starten Sie: Was sich verändert hat, ist ein Polygonlayer.</translation>
    </message>
    <message>
        <source>Choose an embedding and run: each colour is a kind of ground that can be told apart.</source>
        <translation>Wählen Sie ein Embedding und starten Sie: Jede Farbe ist eine Art von Fläche, die sich unterscheiden lässt.</translation>
    </message>
    <message>
        <source>Choose an embedding, a layer of forest plots and its field of canopy cover, and run: the map of cover opens with its interval, and the report with R² and RMSE.</source>
        <translation>Wählen Sie ein Embedding, einen Layer mit Waldprobeflächen und dessen Feld mit dem Kronenschluss und starten Sie: Die Karte des Kronenschlusses öffnet sich mit ihrem Intervall, der Bericht mit R² und RMSE.</translation>
    </message>
    <message>
        <source>Choose a map and run: points open. Write what you see at each into the field reference, then run again with the points: the report tells the accuracies and the areas.</source>
        <translation>Wählen Sie eine Karte und starten Sie: Punkte öffnen sich. Schreiben Sie in das Feld „reference“, was Sie an jedem Punkt sehen, und starten Sie mit den Punkten erneut: Der Bericht nennt die Genauigkeiten und die Flächen.</translation>
    </message>
    <message>
        <source>Choose an embedding and a layer of parcels, and run: each parcel has its statistics.</source>
        <translation>Wählen Sie ein Embedding und einen Layer mit Parzellen und starten Sie: Jede Parzelle erhält ihre Statistik.</translation>
    </message>
    <message>
        <source>Embedding</source>
        <translation>Embedding</translation>
    </message>
    <message>
        <source>Land cover</source>
        <translation>Landbedeckung</translation>
    </message>
    <message>
        <source>Similarity</source>
        <translation>Ähnlichkeit</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Veränderung</translation>
    </message>
    <message>
        <source>Clusters</source>
        <translation>Cluster</translation>
    </message>
    <message>
        <source>Estimate</source>
        <translation>Schätzung</translation>
    </message>
    <message>
        <source>Points</source>
        <translation>Punkte</translation>
    </message>
    <message>
        <source>Polygons with statistics</source>
        <translation>Polygone mit Statistik</translation>
    </message>
    <message>
        <source>Check on the labels that the expression leaves out</source>
        <translation>An den Labels prüfen, die der Ausdruck auslässt</translation>
    </message>
    <message>
        <source>Needs an expression for the labels.</source>
        <translation>Erfordert einen Ausdruck für die Labels.</translation>
    </message>
    <message>
        <source>{names} and {count} more</source>
        <translation>{names} und {count} weitere</translation>
    </message>
    <message>
        <source>Stopped; nothing was written.</source>
        <translation>Angehalten; es wurde nichts geschrieben.</translation>
    </message>
    <message>
        <source>As a command:</source>
        <translation>Als Befehl:</translation>
    </message>
    <message>
        <source>As Python:</source>
        <translation>Als Python:</translation>
    </message>
    <message>
        <source>The labels were copied to {files}, which QGIS removes; to repeat the run, save the layer.</source>
        <translation>Die Labels wurden nach {files} kopiert, was QGIS wieder entfernt; speichern Sie den Layer, um den Lauf wiederholen zu können.</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>Parameter</translation>
    </message>
    <message>
        <source>Outputs</source>
        <translation>Ausgaben</translation>
    </message>
    <message>
        <source>Example</source>
        <translation>Beispiel</translation>
    </message>
    <message>
        <source>Labels are missing; choose a layer of polygons or points, or a fitted classifier from a file.</source>
        <translation>Es fehlen Labels; wählen Sie einen Polygon- oder Punktlayer oder einen trainierten Klassifikator aus einer Datei.</translation>
    </message>
    <message>
        <source>Known values are missing; choose a layer of points or polygons, or a raster of the number.</source>
        <translation>Es fehlen bekannte Werte; wählen Sie einen Punkt- oder Polygonlayer oder ein Raster der Zahl.</translation>
    </message>
    <message>
        <source>The layer {name} is not a raster file ({kind}); export it as a GeoTIFF and choose that.</source>
        <translation>Der Layer {name} ist keine Rasterdatei ({kind}); exportieren Sie ihn als GeoTIFF und wählen Sie dieses.</translation>
    </message>
    <message>
        <source>The CRS of the grid is not known to QGIS; choose another one, in metres.</source>
        <translation>QGIS kennt das KBS des Gitters nicht; wählen Sie ein anderes, in Metern.</translation>
    </message>
    <message>
        <source>There are labels left out to check on only where an expression chooses some; give one.</source>
        <translation>Ausgelassene Labels zum Prüfen gibt es nur, wo ein Ausdruck welche auswählt; geben Sie einen an.</translation>
    </message>
    <message>
        <source>not there</source>
        <translation>nicht vorhanden</translation>
    </message>
    <message>
        <source>Label and look</source>
        <translation>Beschriften und ansehen</translation>
    </message>
    <message>
        <source>Label a few places and see the map at once</source>
        <translation>Einige Stellen beschriften und sofort die Karte sehen</translation>
    </message>
    <message>
        <source>New class</source>
        <translation>Neue Klasse</translation>
    </message>
    <message>
        <source>Name of the new class</source>
        <translation>Name der neuen Klasse</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Add a class</source>
        <translation>Eine Klasse hinzufügen</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Rename the chosen class</source>
        <translation>Die gewählte Klasse umbenennen</translation>
    </message>
    <message>
        <source>Colour…</source>
        <translation>Farbe…</translation>
    </message>
    <message>
        <source>Change the colour of the chosen class</source>
        <translation>Die Farbe der gewählten Klasse ändern</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Remove the chosen class with its examples</source>
        <translation>Die gewählte Klasse mit ihren Beispielen entfernen</translation>
    </message>
    <message>
        <source>Classes</source>
        <translation>Klassen</translation>
    </message>
    <message>
        <source>The keys 1 to 9 choose a class, F2 renames it.</source>
        <translation>Die Tasten 1 bis 9 wählen eine Klasse, F2 benennt sie um.</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>Farbe</translation>
    </message>
    <message>
        <source>Class</source>
        <translation>Klasse</translation>
    </message>
    <message>
        <source>Examples</source>
        <translation>Beispiele</translation>
    </message>
    <message>
        <source>Colour of {name}: {colour}</source>
        <translation>Farbe von {name}: {colour}</translation>
    </message>
    <message>
        <source>Colour of {name}</source>
        <translation>Farbe von {name}</translation>
    </message>
    <message>
        <source>There is a class {name} already.</source>
        <translation>Eine Klasse {name} gibt es schon.</translation>
    </message>
    <message>
        <source>Write the whole map…</source>
        <translation>Die ganze Karte schreiben…</translation>
    </message>
    <message>
        <source>Open Classify land cover with these rasters and labels</source>
        <translation>Die Klassifizierung der Landbedeckung mit diesen Rastern und Beispielen öffnen</translation>
    </message>
    <message>
        <source>The place at hand</source>
        <translation>Die aktuelle Stelle</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Meldung</translation>
    </message>
    <message>
        <source>Rasters to look at</source>
        <translation>Raster, die betrachtet werden</translation>
    </message>
    <message>
        <source>2 pixels of the finest raster</source>
        <translation>2 Pixel des feinsten Rasters</translation>
    </message>
    <message>
        <source>Cell size</source>
        <translation>Zellengröße</translation>
    </message>
    <message>
        <source>Embed the view</source>
        <translation>Ansicht einbetten</translation>
    </message>
    <message>
        <source>Look at what the canvas shows, in the background</source>
        <translation>Im Hintergrund betrachten, was die Kartenansicht zeigt</translation>
    </message>
    <message>
        <source>Embed all</source>
        <translation>Alles einbetten</translation>
    </message>
    <message>
        <source>Look at all that the finest raster covers, in the background</source>
        <translation>Im Hintergrund betrachten, was das feinste Raster bedeckt</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>Stop embedding</source>
        <translation>Das Einbetten anhalten</translation>
    </message>
    <message>
        <source>Progress of embedding</source>
        <translation>Fortschritt des Einbettens</translation>
    </message>
    <message>
        <source>1. Rasters</source>
        <translation>1. Raster</translation>
    </message>
    <message>
        <source>Label</source>
        <translation>Beschriften</translation>
    </message>
    <message>
        <source>Click or draw examples of the chosen class; right click removes one</source>
        <translation>Beispiele der gewählten Klasse anklicken oder zeichnen; ein Rechtsklick entfernt eines</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Take back the last change of the labels</source>
        <translation>Die letzte Änderung der Beispiele zurücknehmen</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Wiederholen</translation>
    </message>
    <message>
        <source>Do again what was taken back</source>
        <translation>Das Zurückgenommene wieder tun</translation>
    </message>
    <message>
        <source>2. Labels</source>
        <translation>2. Beispiele</translation>
    </message>
    <message>
        <source>Label places of two classes to see a map.</source>
        <translation>Beschriften Sie Stellen zweier Klassen, um eine Karte zu sehen.</translation>
    </message>
    <message>
        <source>Scores of the map</source>
        <translation>Güte der Karte</translation>
    </message>
    <message>
        <source>Next place</source>
        <translation>Nächste Stelle</translation>
    </message>
    <message>
        <source>Go to the next place that is worth a label</source>
        <translation>Zur nächsten Stelle gehen, die eine Beschriftung wert ist</translation>
    </message>
    <message>
        <source>Next suspect</source>
        <translation>Nächstes Verdächtiges</translation>
    </message>
    <message>
        <source>Go to the next label that looks like another class</source>
        <translation>Zum nächsten Beispiel gehen, das wie eine andere Klasse aussieht</translation>
    </message>
    <message>
        <source>Change it</source>
        <translation>Ändern</translation>
    </message>
    <message>
        <source>Give this label the class that it looks like</source>
        <translation>Diesem Beispiel die Klasse geben, nach der es aussieht</translation>
    </message>
    <message>
        <source>3. Map of the view</source>
        <translation>3. Karte der Ansicht</translation>
    </message>
    <message>
        <source>More like this</source>
        <translation>Mehr davon</translation>
    </message>
    <message>
        <source>Click what you look for; right click what is not meant</source>
        <translation>Anklicken, was Sie suchen; Rechtsklick auf das, was nicht gemeint ist</translation>
    </message>
    <message>
        <source>Begin anew</source>
        <translation>Neu beginnen</translation>
    </message>
    <message>
        <source>Forget the places that were clicked</source>
        <translation>Die angeklickten Stellen vergessen</translation>
    </message>
    <message>
        <source>How alike places must be, 0 to 100</source>
        <translation>Wie ähnlich Stellen sein müssen, 0 bis 100</translation>
    </message>
    <message>
        <source>At least</source>
        <translation>Mindestens</translation>
    </message>
    <message>
        <source>Similar places</source>
        <translation>Ähnliche Stellen</translation>
    </message>
    <message>
        <source>Embedded; label examples of each class.</source>
        <translation>Eingebettet; beschriften Sie Beispiele jeder Klasse.</translation>
    </message>
    <message>
        <source>New labels</source>
        <translation>Neue Beispiele</translation>
    </message>
    <message>
        <source>Disputed: perhaps {name} ({percent} %). What is it?</source>
        <translation>Umstritten: vielleicht {name} ({percent} %). Was ist es?</translation>
    </message>
    <message>
        <source>Labelled {labelled}, looks like {name}; its own class has {percent} %.</source>
        <translation>Beschriftet als {labelled}, sieht aus wie {name}; die eigene Klasse hat {percent} %.</translation>
    </message>
    <message>
        <source>The layer {name} has no example {fid}.</source>
        <translation>Der Layer {name} hat kein Beispiel {fid}.</translation>
    </message>
    <message>
        <source>The place lies outside the CRS of the layer {name}.</source>
        <translation>Die Stelle liegt außerhalb des KBS des Layers {name}.</translation>
    </message>
    <message>
        <source>a polygon</source>
        <translation>ein Polygon</translation>
    </message>
    <message>
        <source>a point</source>
        <translation>ein Punkt</translation>
    </message>
    <message>
        <source>An example in the layer {name} is {what}.</source>
        <translation>Ein Beispiel im Layer {name} ist {what}.</translation>
    </message>
    <message>
        <source>The drawn polygon has no area; draw it again.</source>
        <translation>Das gezeichnete Polygon hat keine Fläche; zeichnen Sie es neu.</translation>
    </message>
    <message>
        <source>no reason is given</source>
        <translation>kein Grund genannt</translation>
    </message>
    <message>
        <source>The layer {name} cannot be written ({reason}).</source>
        <translation>Der Layer {name} kann nicht geschrieben werden ({reason}).</translation>
    </message>
    <message>
        <source>Layer of the labels</source>
        <translation>Layer der Beispiele</translation>
    </message>
    <message>
        <source>Field of the classes</source>
        <translation>Feld der Klassen</translation>
    </message>
    <message>
        <source>New…</source>
        <translation>Neu…</translation>
    </message>
    <message>
        <source>Make a new GeoPackage for labels</source>
        <translation>Ein neues GeoPackage für Beispiele anlegen</translation>
    </message>
    <message>
        <source>Labels need a CRS; choose one for the project.</source>
        <translation>Beispiele brauchen ein KBS; wählen Sie eines für das Projekt.</translation>
    </message>
    <message>
        <source>The file {path} exists; choose another name, or open its layer.</source>
        <translation>Die Datei {path} gibt es schon; wählen Sie einen anderen Namen, oder öffnen Sie ihren Layer.</translation>
    </message>
    <message>
        <source>The file {path} cannot be written ({reason}); choose another folder.</source>
        <translation>Die Datei {path} kann nicht geschrieben werden ({reason}); wählen Sie einen anderen Ordner.</translation>
    </message>
    <message>
        <source>Add class {name}</source>
        <translation>Klasse {name} hinzufügen</translation>
    </message>
    <message>
        <source>Merge class {old} into {new}</source>
        <translation>Klasse {old} mit {new} vereinen</translation>
    </message>
    <message>
        <source>Rename class {old} to {new}</source>
        <translation>Klasse {old} in {new} umbenennen</translation>
    </message>
    <message>
        <source>Change the colour of class {name}</source>
        <translation>Farbe der Klasse {name} ändern</translation>
    </message>
    <message>
        <source>Remove class {name}</source>
        <translation>Klasse {name} entfernen</translation>
    </message>
    <message>
        <source>Add an example of {name}</source>
        <translation>Ein Beispiel von {name} hinzufügen</translation>
    </message>
    <message>
        <source>Remove an example of {name}</source>
        <translation>Ein Beispiel von {name} entfernen</translation>
    </message>
    <message>
        <source>Change an example from {old} to {new}</source>
        <translation>Ein Beispiel von {old} zu {new} ändern</translation>
    </message>
    <message>
        <source>The example is not there any more.</source>
        <translation>Das Beispiel ist nicht mehr da.</translation>
    </message>
    <message>
        <source>There is no class {name}.</source>
        <translation>Es gibt keine Klasse {name}.</translation>
    </message>
    <message>
        <source>The file {path} of the layer {name} is gone; bring it back, or choose another layer.</source>
        <translation>Die Datei {path} des Layers {name} ist verschwunden; holen Sie sie zurück oder wählen Sie einen anderen Layer.</translation>
    </message>
    <message>
        <source>The layer {name} is being edited; save or leave its edits first.</source>
        <translation>Der Layer {name} wird gerade bearbeitet; speichern oder verwerfen Sie erst die Änderungen.</translation>
    </message>
    <message>
        <source>The layer {name} is read only.</source>
        <translation>Der Layer {name} ist schreibgeschützt.</translation>
    </message>
    <message>
        <source>The filter of the layer {name} hides examples; take it off first.</source>
        <translation>Der Filter des Layers {name} verbirgt Beispiele; entfernen Sie ihn erst.</translation>
    </message>
    <message>
        <source>A class needs a name.</source>
        <translation>Eine Klasse braucht einen Namen.</translation>
    </message>
    <message>
        <source>The name {name} is too long for the field {field}; it takes {longest} characters.</source>
        <translation>Der Name {name} ist zu lang für das Feld {field}; es fasst {longest} Zeichen.</translation>
    </message>
    <message>
        <source>{colour} is no colour; write it as #rrggbb.</source>
        <translation>{colour} ist keine Farbe; schreiben Sie sie als #rrggbb.</translation>
    </message>
    <message>
        <source>The field {field} of the layer {name} has {count} different values; choose a layer of classes.</source>
        <translation>Das Feld {field} des Layers {name} hat {count} verschiedene Werte; wählen Sie einen Layer mit Klassen.</translation>
    </message>
    <message>
        <source>The layer for labels cannot be read; choose another one.</source>
        <translation>Der Layer für Beispiele kann nicht gelesen werden; wählen Sie einen anderen.</translation>
    </message>
    <message>
        <source>The layer {name} has neither points nor polygons; choose another one.</source>
        <translation>Der Layer {name} hat weder Punkte noch Polygone; wählen Sie einen anderen.</translation>
    </message>
    <message>
        <source>The layer {name} has no field {field}.</source>
        <translation>Der Layer {name} hat kein Feld {field}.</translation>
    </message>
    <message>
        <source>The field {field} of the layer {name} is not text; choose another one.</source>
        <translation>Das Feld {field} des Layers {name} ist kein Text; wählen Sie ein anderes.</translation>
    </message>
    <message>
        <source>The layer {name} is read only; export it as a GeoPackage first.</source>
        <translation>Der Layer {name} ist schreibgeschützt; exportieren Sie ihn erst als GeoPackage.</translation>
    </message>
    <message>
        <source>The labels are being edited, filtered or not in a file; save them first.</source>
        <translation>Die Beispiele werden bearbeitet, sind gefiltert oder liegen in keiner Datei; speichern Sie sie erst.</translation>
    </message>
    <message>
        <source>The view shows nothing of what was embedded; move it there, or press Embed the view.</source>
        <translation>Die Ansicht zeigt nichts von dem, was eingebettet ist; verschieben Sie sie dorthin oder drücken Sie Ansicht einbetten.</translation>
    </message>
    <message>
        <source>Choose a layer for the labels, or make a new one, first.</source>
        <translation>Wählen Sie erst einen Layer für die Beispiele, oder legen Sie einen neuen an.</translation>
    </message>
    <message>
        <source>Add a class and choose it first.</source>
        <translation>Fügen Sie erst eine Klasse hinzu, und wählen Sie sie.</translation>
    </message>
    <message>
        <source>There is nothing to suggest yet; label places of two classes.</source>
        <translation>Es gibt noch nichts vorzuschlagen; beschriften Sie Stellen zweier Klassen.</translation>
    </message>
    <message>
        <source>No label looks like another class.</source>
        <translation>Kein Beispiel sieht wie eine andere Klasse aus.</translation>
    </message>
    <message>
        <source>Embed the view first.</source>
        <translation>Betten Sie erst die Ansicht ein.</translation>
    </message>
    <message>
        <source>This place lies outside what was embedded; click inside it, or press Embed the view.</source>
        <translation>Diese Stelle liegt außerhalb dessen, was eingebettet ist; klicken Sie hinein oder drücken Sie Ansicht einbetten.</translation>
    </message>
    <message>
        <source>What was embedded is not there any more; press Embed the view.</source>
        <translation>Was eingebettet war, ist nicht mehr da; drücken Sie Ansicht einbetten.</translation>
    </message>
    <message>
        <source>Where to label next</source>
        <translation>Wo als Nächstes zu beschriften ist</translation>
    </message>
    <message>
        <source>Map of the view</source>
        <translation>Karte der Ansicht</translation>
    </message>
    <message>
        <source>The layer of the labels cannot be read; bring its file back, or choose another layer.</source>
        <translation>Der Layer der Beispiele kann nicht gelesen werden; holen Sie seine Datei zurück oder wählen Sie einen anderen Layer.</translation>
    </message>
    <message>
        <source>The layer {name} has no raster file to read; export it as a GeoTIFF and choose that.</source>
        <translation>Der Layer {name} hat keine lesbare Rasterdatei; exportieren Sie ihn als GeoTIFF und wählen Sie dieses.</translation>
    </message>
    <message>
        <source>The layer {name} has no CRS; set it with Layer CRS in its menu.</source>
        <translation>Der Layer {name} hat kein KBS; legen Sie es mit Layer-KBS in seinem Menü fest.</translation>
    </message>
    <message>
        <source>Choose the rasters to look at first.</source>
        <translation>Wählen Sie erst die Raster, die betrachtet werden sollen.</translation>
    </message>
    <message>
        <source>Labels</source>
        <translation>Labels</translation>
    </message>
    <message>
        <source>F1</source>
        <translation>F1</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>Anteil</translation>
    </message>
    <message>
        <source>No score yet: label more places of each class, apart from each other.</source>
        <translation>Noch keine Güte: beschriften Sie mehr Stellen jeder Klasse, weit auseinander.</translation>
    </message>
    <message>
        <source>Macro-F1 on ground that was not seen: {score}</source>
        <translation>Makro-F1 auf nicht gesehenem Grund: {score}</translation>
    </message>
    <message>
        <source>Raw bands alone: {score}</source>
        <translation>Rohe Bänder allein: {score}</translation>
    </message>
    <message>
        <source>The folder {path} of the QGIS profile cannot be written ({reason}); make it writable.</source>
        <translation>In den Ordner {path} des QGIS-Profils kann nicht geschrieben werden ({reason}); machen Sie ihn beschreibbar.</translation>
    </message>
    <message>
        <source>Copy as command</source>
        <translation>Als Befehl kopieren</translation>
    </message>
    <message>
        <source>Copy as Python</source>
        <translation>Als Python kopieren</translation>
    </message>
    <message>
        <source>Repeat on other layers…</source>
        <translation>Mit anderen Layern wiederholen…</translation>
    </message>
    <message>
        <source>Copied.</source>
        <translation>Kopiert.</translation>
    </message>
    <message>
        <source>Report…</source>
        <translation>Bericht…</translation>
    </message>
    <message>
        <source>Python of the environment that JEPA-GFM is installed in</source>
        <translation>Python der Umgebung, in der JEPA-GFM installiert ist</translation>
    </message>
    <message>
        <source>none found</source>
        <translation>keines gefunden</translation>
    </message>
    <message>
        <source>The python program, or the folder of its environment. Empty: the one found.</source>
        <translation>Das Programm python oder der Ordner seiner Umgebung. Leer: das gefundene.</translation>
    </message>
    <message>
        <source>Automatic: the GPU if there is one</source>
        <translation>Automatisch: die GPU, falls vorhanden</translation>
    </message>
    <message>
        <source>Processor (CPU)</source>
        <translation>Prozessor (CPU)</translation>
    </message>
    <message>
        <source>Graphics card (NVIDIA, CUDA)</source>
        <translation>Grafikkarte (NVIDIA, CUDA)</translation>
    </message>
    <message>
        <source>Where the network runs, unless a run says otherwise.</source>
        <translation>Wo das Netz rechnet, falls ein Lauf nichts anderes angibt.</translation>
    </message>
    <message>
        <source>Python environment</source>
        <translation>Python-Umgebung</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Chosen here: {python}</source>
        <translation>Hier gewählt: {python}</translation>
    </message>
    <message>
        <source>Found: set up here, or written by `gfm doctor --for-qgis` or `make demo`.</source>
        <translation>Gefunden: hier eingerichtet oder von `gfm doctor --for-qgis` oder `make demo` eingetragen.</translation>
    </message>
    <message>
        <source>None found: press Set up, choose one here, or run `gfm doctor --for-qgis` in the environment.</source>
        <translation>Keine gefunden: Drücken Sie „Einrichten“, wählen Sie hier eine aus oder führen Sie `gfm doctor --for-qgis` in der Umgebung aus.</translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation>Angehalten.</translation>
    </message>
    <message>
        <source>Choose the Python of an environment.</source>
        <translation>Wählen Sie das Python einer Umgebung.</translation>
    </message>
    <message>
        <source>Checking; the first time takes up to a minute.</source>
        <translation>Prüfung läuft; beim ersten Mal dauert sie bis zu einer Minute.</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>Prüfen</translation>
    </message>
    <message>
        <source>Not everything works: see the lines with a cross.</source>
        <translation>Nicht alles funktioniert: siehe die Zeilen mit einem Kreuz.</translation>
    </message>
    <message>
        <source>Everything works.</source>
        <translation>Alles funktioniert.</translation>
    </message>
    <message>
        <source>Set up an environment</source>
        <translation>Eine Umgebung einrichten</translation>
    </message>
    <message>
        <source>Set up</source>
        <translation>Einrichten</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>Entfernen…</translation>
    </message>
    <message>
        <source>found by itself</source>
        <translation>selbst gefunden</translation>
    </message>
    <message>
        <source>Python 3.11 or newer that the environment is made with. Empty: the best that is found.</source>
        <translation>Python 3.11 oder neuer, mit dem die Umgebung erstellt wird. Leer: das beste, das sich findet.</translation>
    </message>
    <message>
        <source>from the internet</source>
        <translation>aus dem Internet</translation>
    </message>
    <message>
        <source>For a computer without internet: a folder of wheels, made by `make wheelhouse`.</source>
        <translation>Für einen Rechner ohne Internet: ein Ordner mit Wheels, erstellt von `make wheelhouse`.</translation>
    </message>
    <message>
        <source>Python to make it with</source>
        <translation>Python zum Erstellen</translation>
    </message>
    <message>
        <source>Wheel folder</source>
        <translation>Wheel-Ordner</translation>
    </message>
    <message>
        <source>Needs {cpu} GB on the disk ({gpu} GB with an NVIDIA graphics card); {free} GB are free at {folder}.</source>
        <translation>Benötigt {cpu} GB auf der Festplatte ({gpu} GB mit einer NVIDIA-Grafikkarte); {free} GB sind in {folder} frei.</translation>
    </message>
    <message>
        <source>The last set-up was interrupted; press Set up, and it is made anew.</source>
        <translation>Die letzte Einrichtung wurde unterbrochen; drücken Sie „Einrichten“, und die Umgebung wird neu erstellt.</translation>
    </message>
    <message>
        <source>Setting up; QGIS can be used meanwhile, and this window may be closed.</source>
        <translation>Einrichtung läuft; QGIS lässt sich währenddessen benutzen, und dieses Fenster darf geschlossen werden.</translation>
    </message>
    <message>
        <source>Cancelling.</source>
        <translation>Wird abgebrochen.</translation>
    </message>
    <message>
        <source>Remove the environment in {folder}? Your files, settings and results stay.</source>
        <translation>Die Umgebung in {folder} entfernen? Ihre Dateien, Einstellungen und Ergebnisse bleiben erhalten.</translation>
    </message>
    <message>
        <source>Removing.</source>
        <translation>Wird entfernt.</translation>
    </message>
    <message>
        <source>The environment is removed.</source>
        <translation>Die Umgebung ist entfernt.</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>{path} could not be written ({reason}); choose another folder.</source>
        <translation>{path} konnte nicht geschrieben werden ({reason}); wählen Sie einen anderen Ordner.</translation>
    </message>
    <message>
        <source>Written to {path}.</source>
        <translation>Geschrieben nach {path}.</translation>
    </message>
    <message>
        <source>Setting up JEPA-GFM</source>
        <translation>JEPA-GFM wird eingerichtet</translation>
    </message>
    <message>
        <source>Cancelled; what was begun is removed again.</source>
        <translation>Abgebrochen; was begonnen war, ist wieder entfernt.</translation>
    </message>
    <message>
        <source>Turn rasters of one place into an embedding: a raster with a vector for every ground cell.</source>
        <translation>Aus Rastern eines Ortes ein Embedding machen: ein Raster mit einem Vektor für jede Zelle am Boden.</translation>
    </message>
    <message>
        <source>Use it once for a place, then ask it as often as you like: maps from an embedding take seconds. Every raster is read at its own resolution and in its own CRS; nothing has to be resampled first. An embedding is an ordinary raster of 8-bit bands with a scale and an offset; its tags tell how it was made.</source>
        <translation>Wenden Sie es für einen Ort einmal an und befragen Sie es dann, so oft Sie möchten: Karten aus einem Embedding dauern Sekunden. Jedes Raster wird in seiner eigenen Auflösung und seinem eigenen KBS gelesen; nichts muss vorher umgerechnet werden. Ein Embedding ist ein gewöhnliches Raster aus 8-Bit-Kanälen mit Skalierung und Versatz; seine Metadaten sagen, wie es entstanden ist.</translation>
    </message>
    <message>
        <source>Rasters of one place, each as it is: any resolution, CRS, bands and dates (FILE:as=SENSOR, FILE:crs=EPSG:N).</source>
        <translation>Raster eines Ortes, jedes so, wie es ist: beliebige Auflösungen, KBS, Kanäle und Zeitpunkte (FILE:as=SENSOR, FILE:crs=EPSG:N).</translation>
    </message>
    <message>
        <source>Rasters</source>
        <translation>Raster</translation>
    </message>
    <message>
        <source>Rasters of one place, each as it is: any resolution, CRS, bands and dates.</source>
        <translation>Raster eines Ortes, jedes so, wie es ist: beliebige Auflösungen, KBS, Kanäle und Zeitpunkte.</translation>
    </message>
    <message>
        <source>Where the result is written.</source>
        <translation>Wohin das Ergebnis geschrieben wird.</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>Side of a cell in metres; default: 2 pixels of the finest raster.</source>
        <translation>Seitenlänge einer Zelle in Metern; Vorgabe: 2 Pixel des feinsten Rasters.</translation>
    </message>
    <message>
        <source>Model: a name, a checkpoint file, or a training run.</source>
        <translation>Modell: ein Name, eine Checkpoint-Datei oder ein Trainingslauf.</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>The network that makes the embedding; a file is a checkpoint from gfm train.</source>
        <translation>Das Netz, das das Embedding erzeugt; eine Datei ist ein Checkpoint von gfm train.</translation>
    </message>
    <message>
        <source>Ground to cover: X0,Y0,X1,Y1 in the grid&apos;s CRS, a layer&apos;s file, &apos;union&apos; or &apos;intersection&apos; of the rasters; default: that of the finest raster.</source>
        <translation>Abzudeckende Fläche: X0,Y0,X1,Y1 im KBS des Gitters, die Datei eines Layers, &apos;union&apos; oder &apos;intersection&apos; der Raster; Vorgabe: die des feinsten Rasters.</translation>
    </message>
    <message>
        <source>Extent</source>
        <translation>Ausdehnung</translation>
    </message>
    <message>
        <source>Ground to cover; default: that of the finest raster.</source>
        <translation>Abzudeckende Fläche; Vorgabe: die des feinsten Rasters.</translation>
    </message>
    <message>
        <source>CRS of the grid, in metres; default: that of the finest raster, else its UTM zone.</source>
        <translation>KBS des Gitters, in Metern; Vorgabe: das des feinsten Rasters, sonst dessen UTM-Zone.</translation>
    </message>
    <message>
        <source>CRS of the grid</source>
        <translation>KBS des Gitters</translation>
    </message>
    <message>
        <source>Where the network runs.</source>
        <translation>Wo das Netz rechnet.</translation>
    </message>
    <message>
        <source>Number format of the network; auto: bf16 where the chip has units for it.</source>
        <translation>Zahlenformat des Netzes; auto: bf16, wo der Chip Einheiten dafür hat.</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>Rechengenauigkeit</translation>
    </message>
    <message>
        <source>Worker threads; default: one a core.</source>
        <translation>Arbeitsthreads; Vorgabe: einer je Kern.</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>Threads</translation>
    </message>
    <message>
        <source>Windows in one call of the network on a GPU.</source>
        <translation>Fenster in einem Aufruf des Netzes auf einer GPU.</translation>
    </message>
    <message>
        <source>Batch on a GPU</source>
        <translation>Stapelgröße auf einer GPU</translation>
    </message>
    <message>
        <source>Replace outputs that exist.</source>
        <translation>Vorhandene Ausgaben ersetzen.</translation>
    </message>
    <message>
        <source>Overwrite</source>
        <translation>Überschreiben</translation>
    </message>
    <message>
        <source>Feature groups to store.</source>
        <translation>Zu speichernde Merkmalsgruppen.</translation>
    </message>
    <message>
        <source>Feature groups</source>
        <translation>Merkmalsgruppen</translation>
    </message>
    <message>
        <source>Storage: 8 bits with a scale, or float32.</source>
        <translation>Speicherung: 8 Bit mit einer Skalierung oder float32.</translation>
    </message>
    <message>
        <source>Storage</source>
        <translation>Speicherung</translation>
    </message>
    <message>
        <source>Lay the file out for reading over the web (Cloud Optimized GeoTIFF).</source>
        <translation>Die Datei zum Lesen über das Web anlegen (Cloud Optimized GeoTIFF).</translation>
    </message>
    <message>
        <source>Cloud Optimized GeoTIFF</source>
        <translation>Cloud Optimized GeoTIFF</translation>
    </message>
    <message>
        <source>Write a STAC item beside the file, so that catalogues find it.</source>
        <translation>Neben die Datei ein STAC-Item schreiben, damit Kataloge sie finden.</translation>
    </message>
    <message>
        <source>STAC item</source>
        <translation>STAC-Item</translation>
    </message>
    <message>
        <source>Dask scheduler whose workers embed (tcp://HOST:8786); they must see the same files and the output&apos;s folder.</source>
        <translation>Dask-Scheduler, dessen Worker das Embedding berechnen (tcp://HOST:8786); sie müssen dieselben Dateien und den Ordner der Ausgabe sehen.</translation>
    </message>
    <message>
        <source>Dask scheduler</source>
        <translation>Dask-Scheduler</translation>
    </message>
    <message>
        <source>Repeat the run that made this embedding (cell size, model, groups, normalisation) on other rasters.</source>
        <translation>Den Lauf, aus dem dieses Embedding stammt, mit anderen Rastern wiederholen (Zellengröße, Modell, Gruppen, Normalisierung).</translation>
    </message>
    <message>
        <source>Like embedding</source>
        <translation>Embedding als Vorbild</translation>
    </message>
    <message>
        <source>Embed layers</source>
        <translation>Layer einbetten</translation>
    </message>
    <message>
        <source>embedding</source>
        <translation>Embedding</translation>
    </message>
    <message>
        <source>features</source>
        <translation>Merkmale</translation>
    </message>
    <message>
        <source>deep learning</source>
        <translation>Deep Learning</translation>
    </message>
    <message>
        <source>JEPA</source>
        <translation>JEPA</translation>
    </message>
    <message>
        <source>Sentinel</source>
        <translation>Sentinel</translation>
    </message>
    <message>
        <source>multi-resolution</source>
        <translation>Mehrfachauflösung</translation>
    </message>
    <message>
        <source>fusion</source>
        <translation>Fusion</translation>
    </message>
    <message>
        <source>The result.</source>
        <translation>Das Ergebnis.</translation>
    </message>
    <message>
        <source>The command that repeats the run in a shell.</source>
        <translation>Der Befehl, der den Lauf in einer Shell wiederholt.</translation>
    </message>
    <message>
        <source>As command</source>
        <translation>Als Befehl</translation>
    </message>
    <message>
        <source>The lines that repeat the run in Python.</source>
        <translation>Die Zeilen, die den Lauf in Python wiederholen.</translation>
    </message>
    <message>
        <source>As Python</source>
        <translation>Als Python</translation>
    </message>
    <message>
        <source>A picture of the embedding: its three main components.</source>
        <translation>Ein Bild des Embeddings: seine drei Hauptkomponenten.</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Rows of cells.</source>
        <translation>Zeilen aus Zellen.</translation>
    </message>
    <message>
        <source>Rows</source>
        <translation>Zeilen</translation>
    </message>
    <message>
        <source>Columns of cells.</source>
        <translation>Spalten aus Zellen.</translation>
    </message>
    <message>
        <source>Columns</source>
        <translation>Spalten</translation>
    </message>
    <message>
        <source>Side of a cell in metres.</source>
        <translation>Seitenlänge einer Zelle in Metern.</translation>
    </message>
    <message>
        <source>Cell size (m)</source>
        <translation>Zellengröße (m)</translation>
    </message>
    <message>
        <source>Bands of the embedding.</source>
        <translation>Kanäle des Embeddings.</translation>
    </message>
    <message>
        <source>Bands</source>
        <translation>Kanäle</translation>
    </message>
    <message>
        <source>Make a land-cover map from a few labels, with a confidence layer, honest scores and a report.</source>
        <translation>Aus wenigen Labels eine Landbedeckungskarte machen, mit einem Konfidenzlayer, ehrlichen Gütemaßen und einem Bericht.</translation>
    </message>
    <message>
        <source>Give the rasters of one place, or one embedding of it, and polygons or points with a field that holds the class. The map lies on the pixels of the finest raster (from an embedding: on its cells). The score comes from ground that the classifier did not see, beside that of the raw bands alone. A few polygons a class, spread over the place, are worth more than many in one corner.</source>
        <translation>Geben Sie die Raster eines Ortes oder ein Embedding davon an, dazu Polygone oder Punkte mit einem Feld, das die Klasse enthält. Die Karte liegt auf den Pixeln des feinsten Rasters (aus einem Embedding: auf dessen Zellen). Das Gütemaß stammt von Flächen, die der Klassifikator nicht gesehen hat, und steht neben dem der Rohkanäle allein. Wenige Polygone je Klasse, über den Ort verteilt, sind mehr wert als viele in einer Ecke.</translation>
    </message>
    <message>
        <source>Beside the map lie the probability of each pixel&apos;s class, its candidates (one: sure, two, or more: don&apos;t know) with a mask of where the labels say nothing, and points at labels that look like another class.</source>
        <translation>Neben der Karte liegen die Wahrscheinlichkeit der Klasse jedes Pixels, seine Kandidaten (einer: sicher, zwei, oder mehr: unklar) mit einer Maske, wo die Labels nichts aussagen, und Punkte an Labels, die wie eine andere Klasse aussehen.</translation>
    </message>
    <message>
        <source>Labels: polygons, points or a categorical raster.</source>
        <translation>Labels: Polygone, Punkte oder ein Raster mit Klassen.</translation>
    </message>
    <message>
        <source>Polygons or points with a field that holds the class; any CRS.</source>
        <translation>Polygone oder Punkte mit einem Feld, das die Klasse enthält; beliebiges KBS.</translation>
    </message>
    <message>
        <source>Layer in the labels file.</source>
        <translation>Layer in der Datei der Labels.</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>Layer</translation>
    </message>
    <message>
        <source>Field of the labels that holds the class (text or number).</source>
        <translation>Feld der Labels, das die Klasse enthält (Text oder Zahl).</translation>
    </message>
    <message>
        <source>Class field</source>
        <translation>Klassenfeld</translation>
    </message>
    <message>
        <source>Use only the labels for which this SQL condition holds, such as &quot;split = &apos;train&apos;&quot;.</source>
        <translation>Nur die Labels verwenden, für die diese SQL-Bedingung gilt, etwa &quot;split = &apos;train&apos;&quot;.</translation>
    </message>
    <message>
        <source>Only labels where</source>
        <translation>Nur Labels, für die gilt</translation>
    </message>
    <message>
        <source>Use only the labels for which this expression is true.</source>
        <translation>Nur die Labels verwenden, für die dieser Ausdruck wahr ist.</translation>
    </message>
    <message>
        <source>Labels to score the map on: a file, or &apos;rest&apos; for the rows that the condition leaves out.</source>
        <translation>Labels, an denen die Karte bewertet wird: eine Datei, oder &apos;rest&apos; für die Zeilen, die die Bedingung auslässt.</translation>
    </message>
    <message>
        <source>Labels to check on</source>
        <translation>Labels zum Prüfen</translation>
    </message>
    <message>
        <source>Labels that the classifier does not see: the finished map is scored on them.</source>
        <translation>Labels, die der Klassifikator nicht sieht: Die fertige Karte wird an ihnen bewertet.</translation>
    </message>
    <message>
        <source>Feature groups, a head each; auto: all that the input gives.</source>
        <translation>Merkmalsgruppen, je eine mit eigenem Klassifikator; auto: alle, die die Eingabe hergibt.</translation>
    </message>
    <message>
        <source>Classifier: auto (linear discriminant), lda, logistic, forest, knn, or a file from --save-head.</source>
        <translation>Klassifikator: auto (lineare Diskriminanzanalyse), lda, logistic, forest, knn oder eine Datei aus --save-head.</translation>
    </message>
    <message>
        <source>Classifier</source>
        <translation>Klassifikator</translation>
    </message>
    <message>
        <source>auto is a linear discriminant; a file holds one that was fitted and kept before.</source>
        <translation>auto ist eine lineare Diskriminanzanalyse; eine Datei enthält einen, der früher trainiert und aufbewahrt wurde.</translation>
    </message>
    <message>
        <source>Average probabilities over near pixels that look alike; auto: along the image.</source>
        <translation>Wahrscheinlichkeiten über nahe Pixel mitteln, die sich ähnlich sehen; auto: entlang des Bildes.</translation>
    </message>
    <message>
        <source>Smoothing</source>
        <translation>Glättung</translation>
    </message>
    <message>
        <source>Share of ground whose true class is to be among a pixel&apos;s candidates.</source>
        <translation>Anteil der Fläche, deren wahre Klasse unter den Kandidaten eines Pixels sein soll.</translation>
    </message>
    <message>
        <source>Coverage</source>
        <translation>Überdeckung</translation>
    </message>
    <message>
        <source>Store the fitted classifier in this file.</source>
        <translation>Den trainierten Klassifikator in dieser Datei speichern.</translation>
    </message>
    <message>
        <source>Fitted classifier</source>
        <translation>Trainierter Klassifikator</translation>
    </message>
    <message>
        <source>Pixel size of the map in metres; default: the finest raster&apos;s own pixels.</source>
        <translation>Pixelgröße der Karte in Metern; Vorgabe: die eigenen Pixel des feinsten Rasters.</translation>
    </message>
    <message>
        <source>Pixel size of the map</source>
        <translation>Pixelgröße der Karte</translation>
    </message>
    <message>
        <source>Folder for the report (HTML and JSON); default: MAP_report beside the map.</source>
        <translation>Ordner für den Bericht (HTML und JSON); Vorgabe: MAP_report neben der Karte.</translation>
    </message>
    <message>
        <source>Classify land cover</source>
        <translation>Landbedeckung klassifizieren</translation>
    </message>
    <message>
        <source>land cover</source>
        <translation>Landbedeckung</translation>
    </message>
    <message>
        <source>land use</source>
        <translation>Landnutzung</translation>
    </message>
    <message>
        <source>classification</source>
        <translation>Klassifikation</translation>
    </message>
    <message>
        <source>supervised</source>
        <translation>überwacht</translation>
    </message>
    <message>
        <source>map</source>
        <translation>Karte</translation>
    </message>
    <message>
        <source>confidence</source>
        <translation>Konfidenz</translation>
    </message>
    <message>
        <source>training samples</source>
        <translation>Trainingsdaten</translation>
    </message>
    <message>
        <source>Probability of each pixel&apos;s class in %.</source>
        <translation>Wahrscheinlichkeit der Klasse jedes Pixels in %.</translation>
    </message>
    <message>
        <source>Confidence</source>
        <translation>Konfidenz</translation>
    </message>
    <message>
        <source>How sure each pixel is: one candidate, two, or don&apos;t know; the candidates; where labels say nothing.</source>
        <translation>Wie sicher jedes Pixel ist: ein Kandidat, zwei oder unklar; die Kandidaten; wo Labels nichts aussagen.</translation>
    </message>
    <message>
        <source>Candidates</source>
        <translation>Kandidaten</translation>
    </message>
    <message>
        <source>Labels that look like another class, the worst first.</source>
        <translation>Labels, die wie eine andere Klasse aussehen, die auffälligsten zuerst.</translation>
    </message>
    <message>
        <source>Suspicious labels</source>
        <translation>Verdächtige Labels</translation>
    </message>
    <message>
        <source>The report: scores, areas, settings.</source>
        <translation>Der Bericht: Gütemaße, Flächen, Einstellungen.</translation>
    </message>
    <message>
        <source>A picture of the legend.</source>
        <translation>Ein Bild der Legende.</translation>
    </message>
    <message>
        <source>Legend</source>
        <translation>Legende</translation>
    </message>
    <message>
        <source>Number of classes.</source>
        <translation>Anzahl der Klassen.</translation>
    </message>
    <message>
        <source>Mean F1 of the classes on spatial folds, 0 to 1.</source>
        <translation>Mittleres F1 der Klassen bei räumlicher Kreuzvalidierung, 0 bis 1.</translation>
    </message>
    <message>
        <source>Macro-F1 on folds</source>
        <translation>Makro-F1 bei Kreuzvalidierung</translation>
    </message>
    <message>
        <source>The same score of the raw bands alone.</source>
        <translation>Dasselbe Gütemaß der Rohkanäle allein.</translation>
    </message>
    <message>
        <source>Macro-F1 of raw bands</source>
        <translation>Makro-F1 der Rohkanäle</translation>
    </message>
    <message>
        <source>Mean F1 of the classes on the labels to check on.</source>
        <translation>Mittleres F1 der Klassen an den Labels zum Prüfen.</translation>
    </message>
    <message>
        <source>Macro-F1 on check labels</source>
        <translation>Makro-F1 an Prüflabels</translation>
    </message>
    <message>
        <source>Make the map of another area or date with a classifier that was fitted before.</source>
        <translation>Mit einem früher trainierten Klassifikator die Karte eines anderen Gebiets oder Zeitpunkts machen.</translation>
    </message>
    <message>
        <source>Give the rasters (the same sensors and bands) or one embedding of the other place, and the file that &quot;Classify land cover&quot; kept. Where the ground looks like nothing that the classifier has seen, the candidates layer says so: believe the map inside its area of applicability.</source>
        <translation>Geben Sie die Raster (mit denselben Sensoren und Kanälen) oder ein Embedding des anderen Ortes an und die Datei, die „Landbedeckung klassifizieren“ aufbewahrt hat. Wo die Fläche nichts gleicht, was der Klassifikator gesehen hat, sagt es der Kandidatenlayer: Vertrauen Sie der Karte innerhalb ihres Anwendbarkeitsbereichs.</translation>
    </message>
    <message>
        <source>Fitted classifier, kept by gfm classify --save-head.</source>
        <translation>Trainierter Klassifikator, aufbewahrt von gfm classify --save-head.</translation>
    </message>
    <message>
        <source>A file that Classify land cover kept (its advanced parameter Fitted classifier).</source>
        <translation>Eine Datei, die „Landbedeckung klassifizieren“ aufbewahrt hat (dessen fortgeschrittener Parameter „Trainierter Klassifikator“).</translation>
    </message>
    <message>
        <source>Apply a saved classifier</source>
        <translation>Gespeicherten Klassifikator anwenden</translation>
    </message>
    <message>
        <source>transfer</source>
        <translation>Übertragung</translation>
    </message>
    <message>
        <source>other date</source>
        <translation>anderer Zeitpunkt</translation>
    </message>
    <message>
        <source>other area</source>
        <translation>anderes Gebiet</translation>
    </message>
    <message>
        <source>applicability</source>
        <translation>Anwendbarkeit</translation>
    </message>
    <message>
        <source>monitoring</source>
        <translation>Monitoring</translation>
    </message>
    <message>
        <source>The map of classes.</source>
        <translation>Die Karte der Klassen.</translation>
    </message>
    <message>
        <source>How sure each pixel is, its candidates, and where the ground looks like nothing that was labelled.</source>
        <translation>Wie sicher jedes Pixel ist, seine Kandidaten und wo die Fläche nichts gleicht, was gelabelt wurde.</translation>
    </message>
    <message>
        <source>The report: areas, settings.</source>
        <translation>Der Bericht: Flächen, Einstellungen.</translation>
    </message>
    <message>
        <source>Share of the map outside the classifier&apos;s area of applicability, 0 to 1.</source>
        <translation>Anteil der Karte außerhalb des Anwendbarkeitsbereichs des Klassifikators, 0 bis 1.</translation>
    </message>
    <message>
        <source>Outside applicability</source>
        <translation>Außerhalb des Anwendbarkeitsbereichs</translation>
    </message>
    <message>
        <source>Find places that look like a few examples.</source>
        <translation>Orte finden, die wenigen Beispielen ähneln.</translation>
    </message>
    <message>
        <source>Give one embedding, or rasters, and a few polygons or points of what you look for; counter-examples of what it is often taken for help. The raster tells how alike each cell is (0 to 100), the polygons are the best places, the surest first. No class names and no training: one click can be enough.</source>
        <translation>Geben Sie ein Embedding oder Raster an und einige Polygone oder Punkte dessen, was Sie suchen; Gegenbeispiele für das, womit es oft verwechselt wird, helfen. Das Raster sagt, wie ähnlich jede Zelle ist (0 bis 100), die Polygone sind die besten Fundstellen, die sichersten zuerst. Keine Klassennamen und kein Training: Ein Klick kann genügen.</translation>
    </message>
    <message>
        <source>One embedding, or rasters of one place, each as it is (FILE:as=SENSOR, FILE:crs=EPSG:N).</source>
        <translation>Ein Embedding oder Raster eines Ortes, jedes so, wie es ist (FILE:as=SENSOR, FILE:crs=EPSG:N).</translation>
    </message>
    <message>
        <source>Embedding or rasters</source>
        <translation>Embedding oder Raster</translation>
    </message>
    <message>
        <source>One embedding, or rasters of one place, each as it is.</source>
        <translation>Ein Embedding oder Raster eines Ortes, jedes so, wie es ist.</translation>
    </message>
    <message>
        <source>Feature groups to look at; auto: those that were found best for the question.</source>
        <translation>Zu betrachtende Merkmalsgruppen; auto: die, die sich für die Frage als die besten erwiesen haben.</translation>
    </message>
    <message>
        <source>Examples: polygons or points of what is looked for.</source>
        <translation>Beispiele: Polygone oder Punkte dessen, was gesucht wird.</translation>
    </message>
    <message>
        <source>Polygons or points of what is looked for; any CRS.</source>
        <translation>Polygone oder Punkte dessen, was gesucht wird; beliebiges KBS.</translation>
    </message>
    <message>
        <source>Layer in the file of examples.</source>
        <translation>Layer in der Datei der Beispiele.</translation>
    </message>
    <message>
        <source>Use only the examples for which this SQL condition holds.</source>
        <translation>Nur die Beispiele verwenden, für die diese SQL-Bedingung gilt.</translation>
    </message>
    <message>
        <source>Only examples where</source>
        <translation>Nur Beispiele, für die gilt</translation>
    </message>
    <message>
        <source>Use only the examples for which this expression is true.</source>
        <translation>Nur die Beispiele verwenden, für die dieser Ausdruck wahr ist.</translation>
    </message>
    <message>
        <source>Counter-examples: polygons or points of what is not meant.</source>
        <translation>Gegenbeispiele: Polygone oder Punkte dessen, was nicht gemeint ist.</translation>
    </message>
    <message>
        <source>Counter-examples</source>
        <translation>Gegenbeispiele</translation>
    </message>
    <message>
        <source>How alike a place must be to become a polygon, 0 to 100; default: what four of five examples reach.</source>
        <translation>Wie ähnlich eine Stelle sein muss, um ein Polygon zu werden, 0 bis 100; Vorgabe: was vier von fünf Beispielen erreichen.</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>Schwellenwert</translation>
    </message>
    <message>
        <source>How many places at most become polygons.</source>
        <translation>Wie viele Stellen höchstens zu Polygonen werden.</translation>
    </message>
    <message>
        <source>Places at most</source>
        <translation>Höchstzahl der Fundstellen</translation>
    </message>
    <message>
        <source>Smallest place in m²; default: one cell.</source>
        <translation>Kleinste Fundstelle in m²; Vorgabe: eine Zelle.</translation>
    </message>
    <message>
        <source>Smallest place (m²)</source>
        <translation>Kleinste Fundstelle (m²)</translation>
    </message>
    <message>
        <source>Find similar places</source>
        <translation>Ähnliche Orte finden</translation>
    </message>
    <message>
        <source>similarity</source>
        <translation>Ähnlichkeit</translation>
    </message>
    <message>
        <source>search</source>
        <translation>Suche</translation>
    </message>
    <message>
        <source>examples</source>
        <translation>Beispiele</translation>
    </message>
    <message>
        <source>one class</source>
        <translation>Einklassenverfahren</translation>
    </message>
    <message>
        <source>detection</source>
        <translation>Detektion</translation>
    </message>
    <message>
        <source>How alike each cell is to the examples, 0 to 100.</source>
        <translation>Wie ähnlich jede Zelle den Beispielen ist, 0 bis 100.</translation>
    </message>
    <message>
        <source>The best places, the surest first.</source>
        <translation>Die besten Fundstellen, die sichersten zuerst.</translation>
    </message>
    <message>
        <source>Places</source>
        <translation>Fundstellen</translation>
    </message>
    <message>
        <source>Number of places.</source>
        <translation>Anzahl der Fundstellen.</translation>
    </message>
    <message>
        <source>How alike a place is at least.</source>
        <translation>Wie ähnlich eine Fundstelle mindestens ist.</translation>
    </message>
    <message>
        <source>Find what changed on the ground between two dates.</source>
        <translation>Finden, was sich am Boden zwischen zwei Zeitpunkten verändert hat.</translation>
    </message>
    <message>
        <source>Give the embedding, or the rasters, of the earlier date and of the later one. What differs everywhere (season, sun, haze, the sensor&apos;s settings) is learnt from the scene itself and taken out; what is left is told in standard deviations of unchanged ground. With a classifier from &quot;Classify land cover&quot; each change tells what was there and what is there now. It is for change of up to a tenth of the ground: where more of it changed, that is what the scene teaches it to expect; then give more ground around, or cluster the rasters of both dates together.</source>
        <translation>Geben Sie das Embedding oder die Raster des früheren und des späteren Zeitpunkts an. Was überall verschieden ist (Jahreszeit, Sonne, Dunst, Einstellungen des Sensors), wird aus der Szene selbst gelernt und herausgerechnet; was bleibt, wird in Standardabweichungen unveränderter Fläche angegeben. Mit einem Klassifikator aus „Landbedeckung klassifizieren“ sagt jede Veränderung, was dort war und was jetzt dort ist. Gedacht ist das für Veränderungen auf bis zu einem Zehntel der Fläche: Wo sich mehr verändert hat, lehrt die Szene, eben das zu erwarten; geben Sie dann mehr Fläche ringsum an, oder bilden Sie Cluster aus den Rastern beider Zeitpunkte zusammen.</translation>
    </message>
    <message>
        <source>The earlier date: one embedding, or rasters of one place.</source>
        <translation>Der frühere Zeitpunkt: ein Embedding oder Raster eines Ortes.</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>Vorher</translation>
    </message>
    <message>
        <source>The later date: one embedding of the same cells, or rasters of the same sensors; give it once a file.</source>
        <translation>Der spätere Zeitpunkt: ein Embedding derselben Zellen oder Raster derselben Sensoren; einmal je Datei anzugeben.</translation>
    </message>
    <message>
        <source>After</source>
        <translation>Nachher</translation>
    </message>
    <message>
        <source>The later date: one embedding of the same cells, or rasters of the same sensors.</source>
        <translation>Der spätere Zeitpunkt: ein Embedding derselben Zellen oder Raster derselben Sensoren.</translation>
    </message>
    <message>
        <source>Standard deviations from which on ground has changed; default: so that one change in fifty is false.</source>
        <translation>Ab wie vielen Standardabweichungen sich die Fläche verändert hat; Vorgabe: so, dass eine von fünfzig Veränderungen falsch ist.</translation>
    </message>
    <message>
        <source>Smallest change in m²; default: four cells.</source>
        <translation>Kleinste Veränderung in m²; Vorgabe: vier Zellen.</translation>
    </message>
    <message>
        <source>Smallest change (m²)</source>
        <translation>Kleinste Veränderung (m²)</translation>
    </message>
    <message>
        <source>Fitted classifier (from gfm classify --save-head) that tells the classes before and after.</source>
        <translation>Trainierter Klassifikator (aus gfm classify --save-head), der die Klassen vorher und nachher angibt.</translation>
    </message>
    <message>
        <source>A file that Classify land cover kept: each change then tells the classes before and after.</source>
        <translation>Eine Datei, die „Landbedeckung klassifizieren“ aufbewahrt hat: Jede Veränderung nennt dann die Klassen vorher und nachher.</translation>
    </message>
    <message>
        <source>Detect change</source>
        <translation>Veränderung erkennen</translation>
    </message>
    <message>
        <source>change detection</source>
        <translation>Veränderungserkennung</translation>
    </message>
    <message>
        <source>two dates</source>
        <translation>zwei Zeitpunkte</translation>
    </message>
    <message>
        <source>burnt area</source>
        <translation>Brandfläche</translation>
    </message>
    <message>
        <source>flood</source>
        <translation>Überschwemmung</translation>
    </message>
    <message>
        <source>damage</source>
        <translation>Schaden</translation>
    </message>
    <message>
        <source>deforestation</source>
        <translation>Entwaldung</translation>
    </message>
    <message>
        <source>Change in standard deviations of unchanged ground.</source>
        <translation>Veränderung in Standardabweichungen unveränderter Fläche.</translation>
    </message>
    <message>
        <source>What changed, the strongest first.</source>
        <translation>Was sich verändert hat, das Stärkste zuerst.</translation>
    </message>
    <message>
        <source>Changes</source>
        <translation>Veränderungen</translation>
    </message>
    <message>
        <source>Number of changes.</source>
        <translation>Anzahl der Veränderungen.</translation>
    </message>
    <message>
        <source>Standard deviations from which on ground has changed.</source>
        <translation>Ab wie vielen Standardabweichungen sich die Fläche verändert hat.</translation>
    </message>
    <message>
        <source>Ground that changed, in m².</source>
        <translation>Veränderte Fläche in m².</translation>
    </message>
    <message>
        <source>Changed ground (m²)</source>
        <translation>Veränderte Fläche (m²)</translation>
    </message>
    <message>
        <source>Sort the ground into kinds that look alike, without any label.</source>
        <translation>Die Fläche ganz ohne Labels nach Arten sortieren, die sich ähnlich sehen.</translation>
    </message>
    <message>
        <source>Use it to start where there are no labels: the clusters show what can be told apart, and what to label first. They have numbers, not names; the largest is the first.</source>
        <translation>Damit können Sie beginnen, wo es keine Labels gibt: Die Cluster zeigen, was sich unterscheiden lässt und was zuerst gelabelt werden sollte. Sie haben Nummern, keine Namen; der größte ist der erste.</translation>
    </message>
    <message>
        <source>How many clusters.</source>
        <translation>Wie viele Cluster.</translation>
    </message>
    <message>
        <source>Number of the draw that the search starts from.</source>
        <translation>Nummer der Zufallsziehung, mit der die Suche beginnt.</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Startwert</translation>
    </message>
    <message>
        <source>Cluster</source>
        <translation>Cluster bilden</translation>
    </message>
    <message>
        <source>clustering</source>
        <translation>Clusteranalyse</translation>
    </message>
    <message>
        <source>unsupervised</source>
        <translation>unüberwacht</translation>
    </message>
    <message>
        <source>k-means</source>
        <translation>k-Means</translation>
    </message>
    <message>
        <source>segmentation</source>
        <translation>Segmentierung</translation>
    </message>
    <message>
        <source>classes</source>
        <translation>Klassen</translation>
    </message>
    <message>
        <source>Clusters, the largest first.</source>
        <translation>Cluster, der größte zuerst.</translation>
    </message>
    <message>
        <source>Share of the ground in the largest cluster, 0 to 1.</source>
        <translation>Anteil der Fläche im größten Cluster, 0 bis 1.</translation>
    </message>
    <message>
        <source>Largest cluster</source>
        <translation>Größter Cluster</translation>
    </message>
    <message>
        <source>Estimate a number (tree cover, height, yield) on every cell from places where it is known.</source>
        <translation>Eine Zahl (Baumbedeckung, Höhe, Ertrag) für jede Zelle aus Orten schätzen, an denen sie bekannt ist.</translation>
    </message>
    <message>
        <source>Give one embedding, or rasters, and points or polygons with a field that holds the number, or a raster of it. The estimate comes with an interval that holds the truth as often as asked, and with R² and RMSE from ground that it did not see, beside those of the raw bands alone.</source>
        <translation>Geben Sie ein Embedding oder Raster an und Punkte oder Polygone mit einem Feld, das die Zahl enthält, oder ein Raster davon. Die Schätzung kommt mit einem Intervall, das den wahren Wert so oft enthält wie verlangt, und mit R² und RMSE von Flächen, die sie nicht gesehen hat, neben denen der Rohkanäle allein.</translation>
    </message>
    <message>
        <source>Known values: points or polygons with a number, or a raster of it.</source>
        <translation>Bekannte Werte: Punkte oder Polygone mit einer Zahl, oder ein Raster davon.</translation>
    </message>
    <message>
        <source>Known values</source>
        <translation>Bekannte Werte</translation>
    </message>
    <message>
        <source>Points or polygons with a field that holds the number; any CRS.</source>
        <translation>Punkte oder Polygone mit einem Feld, das die Zahl enthält; beliebiges KBS.</translation>
    </message>
    <message>
        <source>Layer in the file of known values.</source>
        <translation>Layer in der Datei der bekannten Werte.</translation>
    </message>
    <message>
        <source>Field that holds the number.</source>
        <translation>Feld, das die Zahl enthält.</translation>
    </message>
    <message>
        <source>Field of the number</source>
        <translation>Feld der Zahl</translation>
    </message>
    <message>
        <source>Use only the places for which this SQL condition holds.</source>
        <translation>Nur die Orte verwenden, für die diese SQL-Bedingung gilt.</translation>
    </message>
    <message>
        <source>Only places where</source>
        <translation>Nur Orte, für die gilt</translation>
    </message>
    <message>
        <source>Use only the places for which this expression is true.</source>
        <translation>Nur die Orte verwenden, für die dieser Ausdruck wahr ist.</translation>
    </message>
    <message>
        <source>Regression; auto: ridge, which is quick; both: the mean of ridge and forest, a little better and slow.</source>
        <translation>Regression; auto: ridge, das schnell ist; both: das Mittel aus ridge und forest, etwas besser und langsam.</translation>
    </message>
    <message>
        <source>Method</source>
        <translation>Methode</translation>
    </message>
    <message>
        <source>Share of ground whose true value is to lie in the interval.</source>
        <translation>Anteil der Fläche, deren wahrer Wert im Intervall liegen soll.</translation>
    </message>
    <message>
        <source>Smallest number that there can be: known values below are none, estimates end there.</source>
        <translation>Kleinste mögliche Zahl: Bekannte Werte darunter gelten nicht, Schätzungen enden dort.</translation>
    </message>
    <message>
        <source>Lowest value</source>
        <translation>Kleinster Wert</translation>
    </message>
    <message>
        <source>Largest number that there can be (such as 100 for a percentage).</source>
        <translation>Größte mögliche Zahl (etwa 100 bei Prozenten).</translation>
    </message>
    <message>
        <source>Highest value</source>
        <translation>Größter Wert</translation>
    </message>
    <message>
        <source>Cells of a raster of known values to learn from, at most.</source>
        <translation>Höchstzahl der Zellen eines Rasters bekannter Werte, aus denen gelernt wird.</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>Stichproben</translation>
    </message>
    <message>
        <source>Folder for the report (HTML and JSON); default: RESULT_report beside the result.</source>
        <translation>Ordner für den Bericht (HTML und JSON); Vorgabe: RESULT_report neben dem Ergebnis.</translation>
    </message>
    <message>
        <source>Estimate values</source>
        <translation>Werte schätzen</translation>
    </message>
    <message>
        <source>regression</source>
        <translation>Regression</translation>
    </message>
    <message>
        <source>tree cover</source>
        <translation>Baumbedeckung</translation>
    </message>
    <message>
        <source>biomass</source>
        <translation>Biomasse</translation>
    </message>
    <message>
        <source>height</source>
        <translation>Höhe</translation>
    </message>
    <message>
        <source>yield</source>
        <translation>Ertrag</translation>
    </message>
    <message>
        <source>prediction interval</source>
        <translation>Vorhersageintervall</translation>
    </message>
    <message>
        <source>The number on every cell.</source>
        <translation>Die Zahl für jede Zelle.</translation>
    </message>
    <message>
        <source>Lower and upper end of its interval.</source>
        <translation>Unteres und oberes Ende ihres Intervalls.</translation>
    </message>
    <message>
        <source>Interval</source>
        <translation>Intervall</translation>
    </message>
    <message>
        <source>The report: scores, scatter plot, settings.</source>
        <translation>Der Bericht: Gütemaße, Streudiagramm, Einstellungen.</translation>
    </message>
    <message>
        <source>Places that it was learnt from.</source>
        <translation>Orte, aus denen gelernt wurde.</translation>
    </message>
    <message>
        <source>Known places</source>
        <translation>Bekannte Orte</translation>
    </message>
    <message>
        <source>R² on spatial folds: 1 is perfect, 0 no better than the mean.</source>
        <translation>R² bei räumlicher Kreuzvalidierung: 1 ist perfekt, 0 nicht besser als der Mittelwert.</translation>
    </message>
    <message>
        <source>R²</source>
        <translation>R²</translation>
    </message>
    <message>
        <source>Root of the mean squared error on spatial folds.</source>
        <translation>Wurzel des mittleren quadratischen Fehlers bei räumlicher Kreuzvalidierung.</translation>
    </message>
    <message>
        <source>RMSE</source>
        <translation>RMSE</translation>
    </message>
    <message>
        <source>The same R² of the raw bands alone.</source>
        <translation>Dasselbe R² der Rohkanäle allein.</translation>
    </message>
    <message>
        <source>R² of raw bands</source>
        <translation>R² der Rohkanäle</translation>
    </message>
    <message>
        <source>The same R² of the bands with their statistics.</source>
        <translation>Dasselbe R² der Kanäle mit ihrer Statistik.</translation>
    </message>
    <message>
        <source>R² of bands and statistics</source>
        <translation>R² der Kanäle und ihrer Statistik</translation>
    </message>
    <message>
        <source>Share of places inside their interval on spatial folds.</source>
        <translation>Anteil der Orte innerhalb ihres Intervalls bei räumlicher Kreuzvalidierung.</translation>
    </message>
    <message>
        <source>Inside the interval</source>
        <translation>Innerhalb des Intervalls</translation>
    </message>
    <message>
        <source>Say how right a map is and how much ground each class really covers, after Olofsson et al. (2014).</source>
        <translation>Sagen, wie richtig eine Karte ist und wie viel Fläche jede Klasse wirklich bedeckt, nach Olofsson et al. (2014).</translation>
    </message>
    <message>
        <source>Run it twice. First with the map alone: it draws points, so many a class that the result will be as sure as asked. Look at each point, on better images or in the field, and write what is there into the field &quot;reference&quot;. Then run it with these points: the error matrix, the accuracies and the areas come with their confidence intervals.</source>
        <translation>Führen Sie es zweimal aus. Zuerst mit der Karte allein: Es zieht Punkte, so viele je Klasse, dass das Ergebnis so sicher wird wie verlangt. Betrachten Sie jeden Punkt, auf besseren Bildern oder im Gelände, und schreiben Sie, was dort ist, in das Feld „reference“. Führen Sie es dann mit diesen Punkten aus: Fehlermatrix, Genauigkeiten und Flächen kommen mit ihren Konfidenzintervallen.</translation>
    </message>
    <message>
        <source>Map of classes, one band of whole numbers.</source>
        <translation>Karte der Klassen, ein Kanal ganzer Zahlen.</translation>
    </message>
    <message>
        <source>Map</source>
        <translation>Karte</translation>
    </message>
    <message>
        <source>Points: those to look at, or with a sample the same points with what the map says.</source>
        <translation>Punkte: die zu betrachtenden, oder bei einer Stichprobe dieselben Punkte mit dem, was die Karte sagt.</translation>
    </message>
    <message>
        <source>The points that were looked at; without them a sample is drawn.</source>
        <translation>Die betrachteten Punkte; ohne sie wird eine Stichprobe gezogen.</translation>
    </message>
    <message>
        <source>Points looked at</source>
        <translation>Betrachtete Punkte</translation>
    </message>
    <message>
        <source>Layer in the file of points.</source>
        <translation>Layer in der Datei der Punkte.</translation>
    </message>
    <message>
        <source>Field of the points that holds what is there; default: reference.</source>
        <translation>Feld der Punkte, das enthält, was dort ist; Vorgabe: reference.</translation>
    </message>
    <message>
        <source>Reference field</source>
        <translation>Referenzfeld</translation>
    </message>
    <message>
        <source>How many points to draw; default: as many as the standard error needs.</source>
        <translation>Wie viele Punkte zu ziehen sind; Vorgabe: so viele, wie der Standardfehler verlangt.</translation>
    </message>
    <message>
        <source>Points to draw</source>
        <translation>Zu ziehende Punkte</translation>
    </message>
    <message>
        <source>Points that even the rarest class gets.</source>
        <translation>Punkte, die auch die seltenste Klasse erhält.</translation>
    </message>
    <message>
        <source>Points a class at least</source>
        <translation>Mindestzahl der Punkte je Klasse</translation>
    </message>
    <message>
        <source>Standard error of the overall accuracy that the sample is made for.</source>
        <translation>Standardfehler der Gesamtgenauigkeit, für den die Stichprobe bemessen wird.</translation>
    </message>
    <message>
        <source>Standard error</source>
        <translation>Standardfehler</translation>
    </message>
    <message>
        <source>Accuracy that every class is expected to have, for the size of the sample.</source>
        <translation>Genauigkeit, die von jeder Klasse erwartet wird, für den Umfang der Stichprobe.</translation>
    </message>
    <message>
        <source>Expected accuracy</source>
        <translation>Erwartete Genauigkeit</translation>
    </message>
    <message>
        <source>How sure the intervals are.</source>
        <translation>Wie sicher die Intervalle sind.</translation>
    </message>
    <message>
        <source>Number of the draw.</source>
        <translation>Nummer der Zufallsziehung.</translation>
    </message>
    <message>
        <source>Folder for the report (HTML and JSON) of a sample; default: POINTS_report beside the points.</source>
        <translation>Ordner für den Bericht (HTML und JSON) einer Stichprobe; Vorgabe: POINTS_report neben den Punkten.</translation>
    </message>
    <message>
        <source>Assess accuracy</source>
        <translation>Genauigkeit beurteilen</translation>
    </message>
    <message>
        <source>accuracy</source>
        <translation>Genauigkeit</translation>
    </message>
    <message>
        <source>error matrix</source>
        <translation>Fehlermatrix</translation>
    </message>
    <message>
        <source>confusion matrix</source>
        <translation>Konfusionsmatrix</translation>
    </message>
    <message>
        <source>area estimation</source>
        <translation>Flächenschätzung</translation>
    </message>
    <message>
        <source>validation</source>
        <translation>Validierung</translation>
    </message>
    <message>
        <source>sample</source>
        <translation>Stichprobe</translation>
    </message>
    <message>
        <source>The points.</source>
        <translation>Die Punkte.</translation>
    </message>
    <message>
        <source>The report: error matrix, accuracies, areas.</source>
        <translation>Der Bericht: Fehlermatrix, Genauigkeiten, Flächen.</translation>
    </message>
    <message>
        <source>Number of points.</source>
        <translation>Anzahl der Punkte.</translation>
    </message>
    <message>
        <source>Overall accuracy, 0 to 1.</source>
        <translation>Gesamtgenauigkeit, 0 bis 1.</translation>
    </message>
    <message>
        <source>Overall accuracy</source>
        <translation>Gesamtgenauigkeit</translation>
    </message>
    <message>
        <source>Half the width of its interval.</source>
        <translation>Die halbe Breite ihres Intervalls.</translation>
    </message>
    <message>
        <source>± overall accuracy</source>
        <translation>± Gesamtgenauigkeit</translation>
    </message>
    <message>
        <source>Give each polygon the mean and the standard deviation of the embedding inside it.</source>
        <translation>Jedem Polygon Mittelwert und Standardabweichung des Embeddings in seinem Inneren geben.</translation>
    </message>
    <message>
        <source>The table (GeoPackage, or GeoParquet for a name that ends on .parquet) keeps the polygons and their fields: what any statistics program or model of your own can go on with. Cells count by the share that lies inside.</source>
        <translation>Die Tabelle (GeoPackage, oder GeoParquet bei einem Namen, der auf .parquet endet) behält die Polygone und ihre Felder: womit jedes Statistikprogramm oder ein eigenes Modell weiterarbeiten kann. Zellen zählen mit dem Anteil, der innerhalb liegt.</translation>
    </message>
    <message>
        <source>Polygons with their statistics: .gpkg or .parquet.</source>
        <translation>Polygone mit ihrer Statistik: .gpkg oder .parquet.</translation>
    </message>
    <message>
        <source>Polygons.</source>
        <translation>Polygone.</translation>
    </message>
    <message>
        <source>Polygons</source>
        <translation>Polygone</translation>
    </message>
    <message>
        <source>Layer in the file of polygons.</source>
        <translation>Layer in der Datei der Polygone.</translation>
    </message>
    <message>
        <source>Use only the polygons for which this SQL condition holds.</source>
        <translation>Nur die Polygone verwenden, für die diese SQL-Bedingung gilt.</translation>
    </message>
    <message>
        <source>Only polygons where</source>
        <translation>Nur Polygone, für die gilt</translation>
    </message>
    <message>
        <source>Use only the polygons for which this expression is true.</source>
        <translation>Nur die Polygone verwenden, für die dieser Ausdruck wahr ist.</translation>
    </message>
    <message>
        <source>What is told of each band.</source>
        <translation>Was von jedem Kanal angegeben wird.</translation>
    </message>
    <message>
        <source>Statistics</source>
        <translation>Statistik</translation>
    </message>
    <message>
        <source>Embed to vector</source>
        <translation>Embedding auf Polygone übertragen</translation>
    </message>
    <message>
        <source>zonal statistics</source>
        <translation>Zonenstatistik</translation>
    </message>
    <message>
        <source>polygons</source>
        <translation>Polygone</translation>
    </message>
    <message>
        <source>parcels</source>
        <translation>Parzellen</translation>
    </message>
    <message>
        <source>table</source>
        <translation>Tabelle</translation>
    </message>
    <message>
        <source>GeoParquet</source>
        <translation>GeoParquet</translation>
    </message>
    <message>
        <source>The polygons with their statistics.</source>
        <translation>Die Polygone mit ihrer Statistik.</translation>
    </message>
    <message>
        <source>Number of polygons.</source>
        <translation>Anzahl der Polygone.</translation>
    </message>
    <message>
        <source>Number of fields that were added.</source>
        <translation>Anzahl der hinzugefügten Felder.</translation>
    </message>
    <message>
        <source>Fields added</source>
        <translation>Hinzugefügte Felder</translation>
    </message>
    <message>
        <source>Polygons outside the rasters.</source>
        <translation>Polygone außerhalb der Raster.</translation>
    </message>
    <message>
        <source>Polygons outside</source>
        <translation>Polygone außerhalb</translation>
    </message>
</context>
</TS>
